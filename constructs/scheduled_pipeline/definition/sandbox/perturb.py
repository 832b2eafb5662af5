"""Another day, and another order of files: what ``verify`` changes for one of two compiles."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from scheduled_pipeline.definition.sandbox import sdk_patches
from scheduled_pipeline.definition.sandbox.guard.stand_ins import stand_in
from scheduled_pipeline.definition.sandbox.protocol import Surroundings


def change(surroundings: Surroundings) -> None:
    """Shift the clock and turn folders around, for the build functions of this process.

    Runs when the SDK is imported; its own clock stays what it is.

    Args:
        surroundings: what is to be different; ``hash_seed`` has to be set before Python starts.
    """
    if surroundings.clock_offset:
        _shift_clock(surroundings.clock_offset)
    if surroundings.reverse_folders:
        _reverse_folders()


def _shift_clock(seconds: float) -> None:
    """Shift all that Python says of the time: ``date.today`` goes by ``time.time``, others do not."""
    real_ns, real_strftime = time.time_ns, time.strftime

    def strftime(form: str, moment: Any = None) -> str:
        return real_strftime(form, moment or time.localtime())

    sdk_patches.shift_the_other_clock(seconds)
    for name in ("localtime", "gmtime", "ctime"):
        stand_in(time, name, _of_now(getattr(time, name), time.time))
    stand_in(time, "asctime", _of_now(time.asctime, time.localtime))
    stand_in(time, "strftime", strftime)
    stand_in(time, "time_ns", lambda: real_ns() + int(seconds * 1e9))
    for name, unit in (("clock_gettime", 1), ("clock_gettime_ns", 1_000_000_000)):
        if hasattr(time, name):  # not on Windows
            stand_in(time, name, _of_the_day(getattr(time, name), int(seconds * unit)))
    _shift_now(timedelta(seconds=seconds))


def _of_the_day(original: Any, offset: int) -> Any:
    return lambda clock: original(clock) + (offset if clock == time.CLOCK_REALTIME else 0)


def _of_now(original: Any, now: Any) -> Any:
    return lambda moment=None: original(now() if moment is None else moment)


def _shift_now(offset: timedelta) -> None:
    """Shift ``datetime.now``, in the class that there is.

    Another class in its place would not be the class of what was made before, would be pickled as a whole,
    and would not be seen by who has the real one.
    """
    # What stands behind the read-only view, which CPython's collector knows.
    (methods,) = gc.get_referents(datetime.__dict__)
    for name in ("now", "utcnow"):
        methods[name] = classmethod(_shifted(methods[name], offset))
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))


def _shifted(original: Any, offset: timedelta) -> Any:
    def shifted(cls: type[datetime], *args: Any, **kwargs: Any) -> datetime:
        now: datetime = original.__get__(None, cls)(*args, **kwargs)
        return now + offset

    return shifted


def _reverse_folders() -> None:
    """Turn around the order that the file system gives: that of a memory disk is often from z to a."""
    listdir, scandir = os.listdir, os.scandir

    class _Reversed:
        """The entries of a folder, from the last to the first that ``os.scandir`` gives."""

        def __init__(self, path: Any = None) -> None:
            with scandir(path) as entries:
                self._entries = reversed(list(entries))

        def __iter__(self) -> Iterator[Any]:
            return self._entries

        def __next__(self) -> Any:
            return next(self._entries)

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None: ...

        def close(self) -> None: ...

    stand_in(os, "listdir", lambda path=None: listdir(path)[::-1])
    stand_in(os, "scandir", lambda path=None: _Reversed(path))
