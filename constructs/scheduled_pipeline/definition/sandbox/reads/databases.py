"""Which files SQLite opens, as it does so by itself: databases, and what lies beside them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from scheduled_pipeline.definition.sandbox.guard.stand_ins import stand_in

# https://www.sqlite.org/c3ref/c_alter_table.html
_ATTACH = 24


class Databases:
    """Tells of the files of each database of this process.

    Args:
        note: is called with the path of each file.
        note_unseen: is called when nobody knows which files will be opened.
    """

    def __init__(self, note: Callable[[str], None], note_unseen: Callable[[], None]) -> None:
        self._note = note
        self._note_unseen = note_unseen
        self._connecting = threading.local()
        try:
            import sqlite3
        except ImportError:  # a Python that was built without it
            return
        connect = self._watched(sqlite3.connect)
        for module in (sqlite3, sqlite3.dbapi2):
            stand_in(module, "connect", connect)

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        """Take an audit event: one of ``connect``, of the connection that it made, or of ``load_extension``.

        A connection that was not made by ``sqlite3.connect`` is not seen to attach others.
        """
        if event == "sqlite3.connect":
            self._open(args[0])
        elif event == "sqlite3.load_extension" or not getattr(self._connecting, "now", False):
            self._note_unseen()

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(*args: Any, **kwargs: Any) -> Any:
            self._connecting.now = True
            try:
                connection = original(*args, **kwargs)
            finally:
                self._connecting.now = False
            connection.set_authorizer(self._authorize)
            return connection

        return connect

    def _authorize(self, action: int, name: str | None, *others: Any) -> int:
        """Allow everything, and see what is attached; a name that is given apart from the SQL is not seen."""
        if action == _ATTACH and name is None:
            self._note_unseen()
        elif action == _ATTACH:
            self._open(name)
        return 0

    def _open(self, given: Any) -> None:
        """Tell of a database and of the files beside it, which have what was written last.

        https://www.sqlite.org/fileformat2.html#the_write_ahead_log
        """
        path = _path(given)
        for suffix in ("", "-wal", "-journal") if path else ():
            self._note(path + suffix)


def _path(given: Any) -> str:
    """Return the file of a database, which may be given as a URI; empty for one that has none."""
    text = os.fsdecode(given) if isinstance(given, str | bytes | os.PathLike) else ""
    path = unquote(urlsplit(text).path) if text.startswith("file:") else text
    return "" if path == ":memory:" else path
