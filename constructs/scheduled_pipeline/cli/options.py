"""The options that several subcommands have, and how their values are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from scheduled_pipeline.cli.assembly.forecast import FIRST_MOMENT, LAST_MOMENT

MAXIMUM_COUNT = 1000
"""The most runs of one schedule that can be asked for."""


def parse_after(text: str) -> datetime:
    """A moment in ISO 8601; without an offset it is UTC.

    Raises:
        typer.BadParameter: when it is none, or a year that no schedule can name.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be ISO 8601 such as 2027-01-04T09:00:00Z, got {text!r}") from None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if not FIRST_MOMENT <= aware < LAST_MOMENT:
        raise typer.BadParameter(f"must be in the years 1970 to 2199, got {text!r}")
    return aware.astimezone(UTC).replace(microsecond=0)


def check_count(count: int) -> int:
    """A number of runs that can be asked for.

    Raises:
        typer.BadParameter: when it cannot.
    """
    if not 1 <= count <= MAXIMUM_COUNT:
        raise typer.BadParameter(f"must be 1 to {MAXIMUM_COUNT}, got {count}")
    return count


AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]
After = Annotated[
    datetime | None,
    typer.Option(
        parser=parse_after,
        metavar="ISO8601",
        show_default="now",
        help="Print runs later than this; without an offset it is UTC.",
    ),
]
