"""Build functions that do to the process, and to those around it, what they should not."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from sample_pipelines import script

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    from scheduled_pipeline import PipelineContext


def good(context: PipelineContext) -> Pipeline:
    return script(context)


def _leave_running(seconds: float = 600, *, session: bool = False) -> None:
    if os.fork() == 0:
        if session:
            os.setsid()
        time.sleep(seconds)
        os._exit(0)


def leaves_a_process(context: PipelineContext) -> Pipeline:
    _leave_running()
    return script(context)


def leaves_a_daemon(context: PipelineContext) -> Pipeline:
    _leave_running(session=True)
    return script(context)


def leaves_a_daemon_and_hangs(context: PipelineContext) -> Any:
    _leave_running(session=True)
    time.sleep(600)


def kills_the_child_and_leaves_a_process(context: PipelineContext) -> Any:
    _leave_running()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def exits_and_leaves_a_process(context: PipelineContext) -> Any:
    _leave_running()
    os._exit(3)


def kills_itself(context: PipelineContext) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def hangs_in_another_group(context: PipelineContext) -> Any:
    os.setpgid(0, os.getpgid(os.getppid()))
    time.sleep(600)


def hangs_with_no_signals(context: PipelineContext) -> Any:
    for number in range(1, signal.NSIG):
        if number not in {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
            signal.signal(number, signal.SIG_IGN)
    time.sleep(600)


def hangs_with_all_files_closed(context: PipelineContext) -> Any:
    os.closerange(3, 200)
    time.sleep(600)


def closes_all_files(context: PipelineContext) -> Pipeline:
    pipeline = script(context)
    os.closerange(3, 200)
    return pipeline


def is_interrupted(context: PipelineContext) -> Any:
    raise KeyboardInterrupt("boo")


def talks_into_every_pipe(context: PipelineContext) -> Pipeline:
    for number in range(3, 64):
        try:
            os.write(number, b"junk\n")
        except OSError:
            continue
    return script(context)


def prints_a_lot(context: PipelineContext) -> Pipeline:
    for stream in (sys.stdout, sys.stderr):
        stream.write("x" * 3_000_000)
    os.write(1, b"raw\n")
    return script(context)


def uploads_in_a_thread(context: PipelineContext) -> Pipeline:
    """What no step reads, while the main thread is with the SDK."""
    pipeline = script(context)
    client = context.session.boto_session.client("s3")
    write = pipeline.definition

    def definition() -> Any:
        thread = threading.Thread(
            target=lambda: client.upload_fileobj(io.BytesIO(b"lost"), context.bucket, "lost/x.txt")
        )
        thread.start()
        thread.join()
        return write()

    pipeline.definition = definition
    return pipeline
