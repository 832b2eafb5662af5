"""Runs one piece of work in a process of its own, forked from this one, where nothing it does outlives it."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

POSSIBLE = sys.platform.startswith("linux")
"""Whether this machine can: CPython holds a fork without exec for unreliable on macOS, and Windows has none.

https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""

_PR_SET_PDEATHSIG = 1
_TRACE_SECONDS = 1.0
_ending: set[int] = set()
"""How long a process that is out of time has to show where it is."""


class OutOfTimeError(Exception):
    """The work took too long and was ended; ``trace`` says what its threads were at."""

    def __init__(self, trace: str) -> None:
        super().__init__(trace)
        self.trace = trace


class ForkEndedError(Exception):
    """The process ended before its work was done; the text says how."""


def run_forked(work: Callable[[], str], *, seconds: float, trace: Path) -> str:
    """Return what ``work`` returns, from a process that ends with it.

    All that the process starts and leaves running is ended too, as far as it stays in its process group.

    Args:
        work: what is to be done there.
        seconds: how long it may take.
        trace: a file for ``OutOfTimeError.trace``.

    Raises:
        OutOfTimeError: it took longer.
        ForkEndedError: the process ended by itself, as by ``os._exit`` or a signal.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    for ended in list(_ending):
        _end(ended)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing, parent, trace)
    os.close(writing)
    try:
        answer = _read_all(reading, time.monotonic() + seconds)
        if answer is None:
            raise OutOfTimeError(_trace_of(child, trace))
        if not answer.endswith(b"\n"):
            raise ForkEndedError(_how(_end(child)))
    finally:
        os.close(reading)
        _end_soon(child)
    return answer.decode()[:-1]


def _work(work: Callable[[], str], writing: int, parent: int, trace: Path) -> None:
    """Do the work in the child process, and end it."""
    code = 1
    try:
        os.setpgid(0, 0)
        _end_with(parent)
        with trace.open("w", encoding="utf-8") as file:
            faulthandler.register(signal.SIGUSR1, file=file, all_threads=True)
            answer = work()
            sys.stdout.flush()
            _write_all(writing, f"{answer}\n".encode())
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _end_soon(child: int) -> None:
    """Kill a process and what it started; the system takes its memory back while others go on."""
    _ending.add(child)
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)


def _end(child: int) -> int:
    """Wait until a process has ended, and return its status."""
    _ending.discard(child)
    try:
        return os.waitpid(child, 0)[1]
    except ChildProcessError:  # it was waited for already
        return 0


def _write_all(pipe: int, content: bytes) -> None:
    while content:
        content = content[os.write(pipe, content) :]


def _read_all(pipe: int, deadline: float) -> bytes | None:
    """Return all that comes until the end of the line or of the pipe, or None when the time is over first."""
    parts: list[bytes] = []
    while not (parts and parts[-1].endswith(b"\n")):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        part = os.read(pipe, 1 << 20)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _trace_of(child: int, trace: Path) -> str:
    """Return where the threads of a process are, the newest call first; empty when it cannot say."""
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGUSR1)
    end = time.monotonic() + _TRACE_SECONDS
    text, before = "", None
    while time.monotonic() < end and (not text or text != before):
        before = text
        time.sleep(0.05)
        with contextlib.suppress(OSError):
            text = trace.read_text(encoding="utf-8", errors="replace")
    return text


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was ended by signal {os.WTERMSIG(status)}"
    return f"ended with code {os.WEXITSTATUS(status)}"
