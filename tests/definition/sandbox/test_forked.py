"""What a fork has started ends with the process that forks, also where a signal ends that."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from scheduled_pipeline.definition.sandbox import forked

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not forked.POSSIBLE, reason="nothing is forked here"),
]
_START = """
    import os, signal, sys, time
    from pathlib import Path
    from scheduled_pipeline.definition.sandbox import forked

    def leave_a_daemon_and_hang():
        if os.fork() == 0:
            os.setsid()
            print(os.getpid(), flush=True)
        time.sleep(600)

    def show_signals():
        return str([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)])

    forked.adopt_orphans()
    forked.end_on_signals()
    print(
        forked.run_forked(
            globals()[sys.argv[1]],
            seconds=60,
            trace=Path(sys.argv[2]),
            hangup=os.pipe()[0],
            private=[],
        )
    )
"""


def _start(function: str, trace: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_START), function, str(trace)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _lives(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text(errors="replace")
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_daemon_ends_where_a_signal_ends_the_process(tmp_path: Path, number: signal.Signals) -> None:
    with _start("leave_a_daemon_and_hang", tmp_path / "trace") as process:
        assert process.stdout is not None
        daemon = int(process.stdout.readline())
        process.send_signal(number)
        assert process.wait(30) == -number
        lives = _lives(daemon)
        with contextlib.suppress(OSError):
            os.kill(daemon, signal.SIGKILL)
        assert not lives


def test_a_fork_has_the_signals_as_python_has_them(tmp_path: Path) -> None:
    """A pool of processes ends its workers with them."""
    with _start("show_signals", tmp_path / "trace") as process:
        assert process.stdout is not None
        usual = [signal.default_int_handler, signal.SIG_DFL]
        assert process.stdout.read() == f"{usual}\n"
