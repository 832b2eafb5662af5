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
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_TRACE_SECONDS = 1.0
"""How long a process that is out of time has to show where it is."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What ends a process in the usual way."""

_ending: set[int] = set()
"""The processes that were killed and not waited for yet."""


def _is_possible() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # older than Linux 5.3
        return False
    return True


POSSIBLE = _is_possible()
"""Whether this machine can: CPython holds a fork without exec for unreliable on macOS, and Windows has none.

https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""


class OutOfTimeError(Exception):
    """The work took too long and was ended; ``trace`` says what its threads were at."""

    def __init__(self, trace: str) -> None:
        super().__init__(trace)
        self.trace = trace


class ForkEndedError(Exception):
    """The process ended before its work was done; the text says how."""


class HungUpError(Exception):
    """Whoever the work is for has gone."""


def adopt_orphans() -> None:
    """Become the parent of what a fork leaves running, also of what has left its process group.

    https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_on_signals() -> None:
    """Have the signals that end this process end before it what its forks have started."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end_all)


def run_forked(
    work: Callable[[], str], *, seconds: float, trace: Path, hangup: int, private: Iterable[int]
) -> str:
    """Return what ``work`` returns, from a process that ends with it.

    What the process leaves running is ended by ``end_orphans``.

    Args:
        work: what is to be done there.
        seconds: how long it may take.
        trace: a file for ``OutOfTimeError.trace``.
        hangup: a file descriptor that is readable when nobody wants the answer any more.
        private: file descriptors that the work gets nothing of.

    Raises:
        OutOfTimeError: it took longer.
        ForkEndedError: the process ended by itself, as by ``os._exit`` or a signal.
        HungUpError: nobody wants the answer any more.
    """
    end_orphans()
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _work(work, writing, parent, trace, [reading, *private])
    os.close(writing)
    watch = os.pidfd_open(child)
    try:
        answer = _read_answer(reading, watch, hangup, time.monotonic() + seconds)
        if answer is None:
            raise OutOfTimeError(_trace_of(child, trace))
        if not answer.endswith(b"\n"):
            raise ForkEndedError(_how(os.waitid(os.P_PIDFD, watch, os.WEXITED | os.WNOWAIT)))
    finally:
        os.close(reading)
        os.close(watch)
        _kill(child)
    return answer.decode()[:-1]


def end_orphans() -> None:
    """Wait for the processes that were killed, and end what they have left running."""
    while _ending:
        _wait(_ending.pop())
    # Those of an orphan become orphans in turn.
    while orphans := _children():
        for orphan in orphans:
            with contextlib.suppress(OSError):
                os.kill(orphan, signal.SIGKILL)
            _wait(orphan)


def _work(work: Callable[[], str], writing: int, parent: int, trace: Path, private: Iterable[int]) -> None:
    """Do the work in the child process, and end it."""
    code = 1
    try:
        for number in private:
            os.close(number)
        os.setpgid(0, 0)
        _forget_signals()
        _end_with(parent)
        with trace.open("w", encoding="utf-8") as file:
            faulthandler.register(signal.SIGUSR1, file=file, all_threads=True)
            answer = work()
            sys.stdout.flush()
            _write_all(writing, f"{answer}\n".encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _end_all(number: int, frame: FrameType | None) -> None:
    """End what there is below this process, forks at work too, and then this process by the same signal."""
    end_orphans()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _forget_signals() -> None:
    """Have the signals do what they do in any Python: a pool ends its workers with one."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _end_all:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _write_all(pipe: int, content: bytes) -> None:
    while content:
        content = content[os.write(pipe, content) :]


def _read_answer(pipe: int, watch: int, hangup: int, deadline: float) -> bytes | None:
    """Return what comes until the end of the line or of the process, or None when the time is over first.

    The pipe may stay open when the process has ended, and the process may go on when the pipe is closed.
    """
    parts: list[bytes] = []
    watched = [pipe, watch, hangup]
    while not (parts and parts[-1].endswith(b"\n")):
        ready, _, _ = select.select(watched, [], [], max(0.0, deadline - time.monotonic()))
        if hangup in ready:
            raise HungUpError
        if pipe in ready:
            part = os.read(pipe, 1 << 20)
            if part:
                parts.append(part)
            else:
                watched.remove(pipe)
        elif watch in ready:
            break
        elif not ready:
            return None
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


def _kill(child: int) -> None:
    """Kill a process and its group; the system takes its memory back while others go on."""
    _ending.add(child)
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(child, signal.SIGKILL)


def _wait(process: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def _children() -> list[int]:
    """Return the children of this process; an orphan that was adopted is one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            # The name of the program, in brackets, may hold anything.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                found.append(int(folder.name))
    return found


def _how(status: os.waitid_result | None) -> str:
    if status is None:
        return "ended"
    if status.si_code in (os.CLD_KILLED, os.CLD_DUMPED):
        return f"was ended by signal {status.si_status}"
    return f"ended with code {status.si_status}"
