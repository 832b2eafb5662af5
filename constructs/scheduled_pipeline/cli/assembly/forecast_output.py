"""The three forms in which coming runs are printed: a table for a terminal, plain lines for a pipe, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scheduled_pipeline.cli.assembly.forecast import Forecast, Run
from scheduled_pipeline.cli.assembly.intrinsics import Text as Value
from scheduled_pipeline.cli.printing import NOTHING
from scheduled_pipeline.trigger.occurrences import ClockChange
from scheduled_pipeline.trigger.time_zone import utc_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

COLUMNS = (
    *("UTC", "LOCAL", "TIMEZONE", "STATE", "STACK", "KIND", "NAME"),
    *("PIPELINE", "EXPRESSION", "START", "END", "NOTE"),
)
"""The columns of the plain form, separated by one tab each."""


def to_json(forecasts: Sequence[Forecast], *, assembly: Path, after: datetime, count: int) -> str:
    """A JSON document; ``scheduled-pipeline next --help`` says what is in it."""
    document = {
        "assembly": str(assembly),
        "after": utc_text(after),
        "count": count,
        "schedules": [_json_schedule(forecast) for forecast in forecasts],
    }
    return json.dumps(document, indent=2)


def _json_schedule(forecast: Forecast) -> dict[str, Any]:
    start = forecast.start
    return {
        "stack": start.stack,
        "kind": start.kind,
        "name": start.name.text,
        "group": _optional(start.group),
        "logicalId": start.logical_id,
        "pipelines": list(start.pipelines),
        "state": start.state.text,
        "expression": start.expression.text,
        "description": forecast.description,
        "timezone": start.timezone.text,
        "start": _optional(start.start),
        "end": _optional(start.end),
        "windowMinutes": _whole_number(start.window),
        "approximate": forecast.approximate,
        "runs": [json_run(run) for run in forecast.runs],
        "clockChanges": [_json_change(change) for change in forecast.clock_changes],
        "notes": list(forecast.notes),
        "problem": forecast.problem,
    }


def json_run(run: Run) -> dict[str, Any]:
    """One coming run as a JSON object."""
    return {"utc": utc_text(run.moment), "local": run.moment.isoformat(), "note": run.note}


def _json_change(change: ClockChange) -> dict[str, Any]:
    return {
        "effect": "skipped" if change.skipped else "once",
        "first": change.walls[0].isoformat(),
        "last": change.walls[-1].isoformat(),
        "runs": len(change.walls),
        "text": str(change),
    }


def _optional(value: Value | None) -> str | None:
    return None if value is None else value.text


def _whole_number(value: Value | None) -> int | None:
    return int(value.text) if value is not None and value.text.isdecimal() else None


def to_plain(forecasts: Sequence[Forecast]) -> str:
    """Lines of ``COLUMNS``, the names first; a line for each run, and one for a schedule that has none."""
    rows = [COLUMNS, *(row for forecast in forecasts for row in _plain_rows(forecast))]
    # A tab or a line break within a value would break the columns.
    return "\n".join("\t".join(" ".join(cell.split()) or NOTHING for cell in row) for row in rows)


def _plain_rows(forecast: Forecast) -> Iterator[tuple[str, ...]]:
    start = forecast.start
    problem = () if forecast.problem is None else (f"refused: {forecast.problem}",)
    for run in forecast.runs or (None,):
        own = () if run is None or run.note is None else (run.note,)
        yield (
            NOTHING if run is None else utc_text(run.moment),
            NOTHING if run is None else run.moment.isoformat(),
            start.timezone.text,
            start.state.text,
            start.stack,
            start.kind,
            start.name.text,
            ",".join(start.pipelines),
            start.expression.text,
            _optional(start.start) or NOTHING,
            _optional(start.end) or NOTHING,
            "; ".join((*problem, *own, *forecast.notes)),
        )


def print_table(console: Console, forecasts: Sequence[Forecast]) -> None:
    """A section for each schedule: what it is, its runs in its zone and in UTC, and what to know."""
    for place, forecast in enumerate(forecasts):
        if place:
            console.print()
        for part in _section(forecast):
            console.print(part)


def _section(forecast: Forecast) -> Iterator[RenderableType]:
    from rich.text import Text

    start = forecast.start
    yield _heading(forecast)
    when = forecast.description or start.timezone.text
    pipelines = ", ".join(start.pipelines)
    yield Text(f"{when}  {start.expression}  starts {pipelines}", style="" if start.enabled else "dim")
    period = " ".join(
        f"{word} {value}" for word, value in (("from", start.start), ("until", start.end)) if value
    )
    if period:
        yield Text(period)
    if forecast.problem is not None:
        yield Text(f"refused: {forecast.problem}", style="bold red")
    for note in forecast.notes:
        yield Text(note, style="yellow")
    if forecast.runs:
        yield _runs_table(forecast)


def _heading(forecast: Forecast) -> Text:
    from rich.text import Text

    start = forecast.start
    state = "green" if start.enabled else "bold red"
    name = "bold" if start.enabled else "dim"
    return Text.assemble(
        (start.stack, "cyan"), "  ", (start.name.text, name), "  ", (start.state.text, state)
    )


def _runs_table(forecast: Forecast) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    zone = forecast.start.timezone.text
    local = zone != "UTC"
    for title in (*([zone] if local else []), "UTC"):
        table.add_column(Text(title), no_wrap=True)
    about = "~ " if forecast.approximate else ""
    for run in forecast.runs:
        moments = [_day_and_time(run.moment.astimezone(UTC))]
        if local:
            moments.insert(0, f"{_day_and_time(run.moment)} {run.moment.isoformat()[19:]}")
        notes = [Text(run.note, style="yellow")] if run.note is not None else []
        table.add_row(*(Text(about + moment) for moment in moments), *notes)
    return table


def _day_and_time(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M}" + (f":{moment:%S}" if moment.second else "")
