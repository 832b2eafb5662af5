"""Where the child process begins, and its main loop.

It reads one request a line from standard input and writes one answer a line to what was its standard output;
whatever the SDK or the user prints goes to standard error. ``protocol`` says what the lines hold.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.definition.sandbox import forked, protocol, sdk_patches
from scheduled_pipeline.definition.sandbox.builder import Builder
from scheduled_pipeline.definition.sandbox.completion import complete
from scheduled_pipeline.definition.sandbox.guard import kernel
from scheduled_pipeline.definition.sandbox.inbox import Inbox
from scheduled_pipeline.definition.sandbox.offline_aws import is_user_file
from scheduled_pipeline.definition.sandbox.perturb import change
from scheduled_pipeline.definition.sandbox.protocol import (
    Answer,
    Cancel,
    Cancelled,
    Compiled,
    Ended,
    Failed,
    Guard,
    ProtocolError,
    Refused,
    Request,
    Start,
)
from scheduled_pipeline.definition.sandbox.reads.recorder import Recorder
from scheduled_pipeline.definition.sandbox.sdk import function_steps


def main(text: str) -> None:
    """Answer requests until they end; what a build function has left running does not keep the process.

    Args:
        text: a ``protocol.Start`` as JSON.
    """
    try:
        start = protocol.read_start(text)
    except ProtocolError as error:
        sys.exit(f"error: {error}")
    inbox, answers = _take_pipes()
    guard = kernel.enter(start.guards)
    # The import of the SDK makes objects that stay, which the collector would go through again and again: a
    # quarter of its time.
    gc.disable()
    server = Server(start, guard, inbox, answers.fileno())
    gc.freeze()
    gc.enable()
    if start.forks:
        forked.end_on_signals()
    with contextlib.suppress(BrokenPipeError):  # nobody is there any more
        while (line := inbox.take()) is not None:
            if (answer := _answer(server, line)) is not None:
                answers.write(answer + "\n")
                answers.flush()
    if start.forks:
        forked.end_orphans()
    os._exit(0)


def _take_pipes() -> tuple[Inbox, IO[str]]:
    """Return standard input and output, and leave to everybody else an empty file and standard error."""
    requests = os.dup(0)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return Inbox(requests), answers


def _answer(server: Server, line: str) -> str | None:
    try:
        request = protocol.read_request(line)
    except ProtocolError as error:
        return protocol.write(Refused(str(error)))
    return None if isinstance(request, Cancel) else server.answer(request)


class Server:
    """Has the SDK imported, and compiles each definition in a process of its own.

    Nothing of the project is imported here: what a build function and its modules do to their process ends
    with it.

    Args:
        start: what this process was started with.
        guard: what keeps it from the network.
        inbox: where requests come from.
        answers: the file descriptor of the answers.
    """

    def __init__(self, start: Start, guard: Guard, inbox: Inbox, answers: int) -> None:
        self._guard = guard
        self._inbox, self._answers = inbox, answers
        if start.forks:
            forked.adopt_orphans()
        self._builder = Builder()
        # What is wrong with the SDK is told when a build function imports it.
        with contextlib.suppress(Exception):
            sdk_patches.quieten()
            function_steps.prepare()
            self._builder.make_clients()
        self._project = start.project
        self._forks = start.forks
        self._recorder = Recorder(start.project)
        change(start.surroundings)
        self._recorder.know_modules()

    def answer(self, request: Request) -> str:
        """Compile one definition and return the answer as a line; an error is an answer too."""
        return self._answer_of_fork(request) if self._forks else protocol.write(self._compile(request))

    def _answer_of_fork(self, request: Request) -> str:
        if self._inbox.has_more():
            return protocol.write(Cancelled())
        try:
            text = forked.run_forked(
                lambda: self._compile_and_tell(request),
                seconds=request.deadline - time.monotonic(),
                trace=Path(request.staging).parent / "trace.txt",
                hangup=self._inbox.source,
                private=[self._inbox.source, self._answers],
            )
        except forked.HungUpError:
            return protocol.write(Cancelled())
        except forked.OutOfTimeError as error:
            return protocol.write(Ended("", late=True, place=_place(error.trace)))
        except forked.ForkEndedError as error:
            return protocol.write(Ended(f"{error} before it answered"))
        told = _told(text)
        if told is None:
            return protocol.write(Ended("wrote something else than its answer"))
        answer, modules = told
        _import_ahead(modules)
        self._recorder.know_modules()
        return answer

    def _compile_and_tell(self, request: Request) -> str:
        """Return the answer, and what of the SDK was imported for it."""
        _move_out(Path(request.staging).parent)
        known = set(sys.modules)
        answer = protocol.write(self._compile(request))
        new = [name for name in sys.modules if name not in known and _is_of_the_sdk(name)]
        return json.dumps([answer, new])

    def _compile(self, request: Request) -> Answer:
        with self._recorder.recording():
            built = self._builder.build(request)
        if isinstance(built, Failed):
            return built
        folders = [str(Path(request.staging).parent), *self._project.anchors]
        try:
            compiled = complete(built, function=f"{request.module}:{request.function}", folders=folders)
        except DefinitionError as error:
            return Refused(str(error))
        return Compiled(compiled.pack(), self._recorder.reads(), self._guard)


def _told(text: str) -> tuple[str, list[str]] | None:
    """Return what a fork has told, or None if it is none of ours: the build function may have written it."""
    try:
        match json.loads(text):
            case [str() as answer, list() as modules]:
                return answer, [name for name in modules if isinstance(name, str) and _is_of_the_sdk(name)]
    except ValueError:
        return None
    return None


def _move_out(root: Path) -> None:
    """Give this process a home, a folder for temporary files and settings of the SDK of its own."""
    folder = Path(tempfile.mkdtemp(dir=root))
    for name, variables in (("home", ("HOME", "USERPROFILE")), ("tmp", ("TMPDIR",))):
        (folder / name).mkdir()
        os.environ.update(dict.fromkeys(variables, str(folder / name)))
    for name in ("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "SAGEMAKER_USER_CONFIG_OVERRIDE"):
        os.environ[name] = str(shutil.copy(os.environ[name], folder / f"{name.lower()}.yaml"))
    tempfile.tempdir = None  # which is where it was kept


def _is_of_the_sdk(module: str) -> bool:
    return module.partition(".")[0] == "sagemaker"


def _import_ahead(modules: Iterable[str]) -> None:
    """Import what of the SDK one definition has needed, so that the next one need not."""
    for name in modules:
        with contextlib.suppress(Exception):  # a build function that needs it is told
            importlib.import_module(name)


def _place(trace: str) -> str:
    """Return the user's line in what ``faulthandler`` wrote: of the main thread, which is its last one."""
    lines = re.findall(r'File "(.+)", line (\d+) in (.+)', trace.rpartition("\n\n")[2])
    return next((f"{file}:{line}, in {function}" for file, line, function in lines if is_user_file(file)), "")
