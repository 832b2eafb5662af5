"""Another day, and another order of files: what ``verify`` changes for one of two compiles."""

from __future__ import annotations

import datetime as datetime_module
import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from types import TracebackType
from typing import Any, Self

from scheduled_pipeline.definition.sandbox.protocol import Surroundings


def change(surroundings: Surroundings) -> None:
    """Shift the clock and turn folders around, for the build functions of this process.

    Runs when the SDK is imported, so that modules of the SDK, which took what they need, see nothing of it.

    Args:
        surroundings: what is to be different; ``hash_seed`` has to be set before Python starts.
    """
    if surroundings.clock_offset:
        _shift_clock(timedelta(seconds=surroundings.clock_offset))
    if surroundings.reverse_folders:
        _reverse_folders()


def _shift_clock(offset: timedelta) -> None:
    real_time, seconds = time.time, offset.total_seconds()

    class _OfType(type):
        """So that what the SDK made is still a date."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, cls.__mro__[1])

    class ShiftedDate(date, metaclass=_OfType):
        @classmethod
        def today(cls) -> Any:
            return date.today() + offset  # noqa: DTZ011 - what was asked for

    class ShiftedDatetime(datetime, metaclass=_OfType):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + offset

        @classmethod
        def utcnow(cls) -> Any:
            return datetime.now(datetime_module.UTC).replace(tzinfo=None) + offset

        @classmethod
        def today(cls) -> Any:
            return datetime.now() + offset  # noqa: DTZ005 - what was asked for

    datetime_module.date = ShiftedDate  # type: ignore[misc]
    datetime_module.datetime = ShiftedDatetime  # type: ignore[misc]
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _of_now(getattr(time, name), lambda: real_time() + seconds))
    real_strftime = time.strftime
    setattr(time, "strftime", lambda form, moment=None: real_strftime(form, moment or time.localtime()))  # noqa: B010
    setattr(time, "time", lambda: real_time() + seconds)  # noqa: B010
    setattr(time, "time_ns", lambda: int((real_time() + seconds) * 1e9))  # noqa: B010


def _of_now(original: Any, now: Any) -> Any:
    return lambda moment=None: original(now() if moment is None else moment)


def _reverse_folders() -> None:
    listdir, scandir = os.listdir, os.scandir

    class _Reversed:
        """The entries of a folder, as ``os.scandir`` gives them, from the last to the first."""

        def __init__(self, path: Any = None) -> None:
            with scandir(path) as entries:
                self._entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

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

    setattr(os, "listdir", lambda path=None: sorted(listdir(path), reverse=True))  # noqa: B010
    setattr(os, "scandir", _Reversed)  # noqa: B010
