"""``Inbox``: the lines that come through a pipe, and whether there is another one."""

from __future__ import annotations

import os
import select


class Inbox:
    """Reads lines from a file descriptor, and no more of it than has come."""

    def __init__(self, source: int) -> None:
        self.source = source
        self._read = b""

    def take(self) -> str | None:
        """Wait for a line and return it, or None at the end of the pipe."""
        while b"\n" not in self._read:
            part = os.read(self.source, 1 << 16)
            if not part:
                return None
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def has_more(self) -> bool:
        """Whether something has come already, be it the end."""
        return bool(self._read) or bool(select.select([self.source], [], [], 0)[0])
