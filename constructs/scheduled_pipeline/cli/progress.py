"""Tell an operator at a terminal what is being looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A function that shows a line on standard error until the next one, and leaves nothing behind.

    Shows nothing unless both outputs are terminals: in a pipe another program may own the screen.

    Args:
        quiet: show nothing at all.
    """
    if quiet or not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update
