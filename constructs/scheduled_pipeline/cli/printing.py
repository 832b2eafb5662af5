"""How what was found is printed: a table for a terminal, plain lines for a pipe, JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import TextIOWrapper
from itertools import chain, islice
from textwrap import indent
from typing import Any

from scheduled_pipeline.cli.errors import CommandError

NOTHING = "-"
_AT_ONCE = 100
"""How many lines are written at once."""


def write_lines(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """Lines of columns separated by one tab each, their names first; written as the rows come."""
    _write(_plain_lines(columns, rows))


def write_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Lines of a name, a tab and a value."""
    _write("\t".join((name, " ".join(value.split()))) for name, value in pairs)


def _write(lines: Iterator[str]) -> None:
    batch: list[str] = []
    try:
        for line in lines:
            batch.append(line)
            if len(batch) == _AT_ONCE:
                text = "\n".join(batch)
                batch.clear()
                if not write(text):
                    return
    finally:
        # Also when what makes the lines ends with an error: what was found is printed.
        if batch:
            write("\n".join(batch))


def _plain_lines(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Iterator[str]:
    coming = iter(rows)
    # An error before the first leaves nothing on standard output.
    first = list(islice(coming, 1))
    for row in chain([columns], first, coming):
        # A tab or a line break within a value would break the columns.
        yield "\t".join(" ".join((cell or "").split()) or NOTHING for cell in row)


def write_json(head: Mapping[str, Any], member: str, items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON object with ``head`` and the items under ``member``; written as the items come."""
    _write(_json_lines(head, member, items))


def _json_lines(head: Mapping[str, Any], member: str, items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    coming = iter(items)
    # An error before the first leaves nothing on standard output.
    first = list(islice(coming, 1))
    yield "{"
    for name, value in head.items():
        yield f"  {json.dumps(name)}: {json.dumps(value)},"
    held = None
    for item in chain(first, coming):
        yield f"  {json.dumps(member)}: [" if held is None else f"{held},"
        held = indent(json.dumps(item, indent=2), "    ")
    if held is None:
        yield f"  {json.dumps(member)}: []"
    else:
        yield held
        yield "  ]"
    yield "}"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """A table for a terminal; nothing when there are no rows."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in columns:
        table.add_column(title.capitalize(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell or NOTHING, style=_STYLES.get(cell or "", "")) for cell in row))
    if table.rows:
        Console(highlight=False).print(table)


_STYLES = {
    "DISABLED": "dim",
    "ENABLED": "green",
    "deleted": "green",
    "failed": "bold red",
    "no": "bold red",
    "not tried": "yellow",
    "would be deleted": "yellow",
}


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """A table at a terminal, lines in a pipe."""
    if sys.stdout.isatty():
        print_table(columns, rows)
    else:
        write_lines(columns, rows)


def write(text: str) -> bool:
    """Write lines to standard output; a pipe that the reader has closed is not an error.

    Returns:
        Whether there is still a reader.

    Raises:
        CommandError: it cannot be written, as on a disk that is full.
    """
    try:
        if isinstance(sys.stdout, TextIOWrapper):
            # A terminal or a locale that lacks a letter gets its number.
            sys.stdout.reconfigure(errors="backslashreplace")
        print(text, flush=True)
    except OSError as error:
        # What is left in the buffer is flushed at exit: into nothing, not into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise CommandError(f"standard output cannot be written: {error.strerror}") from None
        return False
    return True
