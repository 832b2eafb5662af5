"""Talk with an operator at a terminal: show what is being looked at, and ask before something is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from scheduled_pipeline.cli.errors import UsageError


def check_askable(*, as_json: bool, what: str = "deletion", instead: str = "add --yes or --dry-run") -> None:
    """Refuse to ask when there is no terminal to show the question or to answer it.

    Raises:
        UsageError: standard input or output is not a terminal, or a document is wanted.
    """
    if as_json:
        raise UsageError(f"{what} asks first, and --json leaves no place to ask: {instead}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{what} asks first, and there is no terminal to ask at: {instead}")


def confirmed(number: int) -> bool:
    """Whether the operator wants that many triggers deleted; an interrupt means no."""
    what = "this 1 trigger" if number == 1 else f"these {number:,} triggers"
    return agreed(f"Delete {what}?")


def agreed(question: str) -> bool:
    """Whether the operator says yes; an interrupt means no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False


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
