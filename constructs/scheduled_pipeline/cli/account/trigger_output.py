"""The forms in which triggers are printed as they are found: a table, lines for a pipe, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from textwrap import indent
from typing import Any

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.assembly import forecast_output
from scheduled_pipeline.trigger.time_zone import utc_text

NOTHING = "-"
_AT_ONCE = 100
"""How many lines are written at once."""


def document(record: TriggerRecord) -> dict[str, Any]:
    """A trigger as a JSON object; what is absent is null, `docs/command.md` says what is in it."""
    pipeline = record.pipeline
    return {
        "kind": record.kind,
        "name": record.name,
        "group": record.group,
        "arn": record.arn,
        "region": record.region,
        "account": record.account,
        "state": record.state,
        "expression": record.expression,
        "timezone": record.timezone if record.expression is not None else None,
        "start": _moment(record.start),
        "end": _moment(record.end),
        "created": _moment(record.created),
        "windowMinutes": record.window_minutes,
        "eventPattern": record.event_pattern,
        "description": record.description,
        "role": record.role_arn,
        "target": record.target_arn,
        "targetId": record.target_id,
        "otherTargets": record.other_targets,
        "pipeline": None if pipeline is None else pipeline.name,
        "pipelineRegion": None if pipeline is None else pipeline.region,
        "pipelineAccount": None if pipeline is None else pipeline.account,
        "parameters": [{"name": name, "value": value} for name, value in record.parameters],
        "input": record.input,
        "deadLetterQueue": record.dead_letter_arn,
        "maximumRetryAttempts": record.maximum_retry_attempts,
        "maximumEventAgeSeconds": record.maximum_event_age_seconds,
        "kmsKey": record.kms_key_arn,
        "actionAfterCompletion": record.action_after_completion,
        "managedBy": record.managed_by,
        "owner": record.owner,
    }


def short_document(record: TriggerRecord) -> dict[str, Any]:
    """What a listing of the API knows of a trigger."""
    whole = document(record)
    names = (
        "kind",
        "name",
        "group",
        "arn",
        "region",
        "account",
        "state",
        "target",
        "targetId",
        "otherTargets",
    )
    pipeline = ("pipeline", "pipelineRegion", "pipelineAccount", "owner")
    return {name: whole[name] for name in (*names, *pipeline)}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else utc_text(value)


def when(record: TriggerRecord) -> str:
    """The expression of a trigger, or that it waits for events."""
    return "on events" if record.expression is None else record.expression


def pipeline_text(record: TriggerRecord) -> str:
    """The name of the pipeline, with Region or account where they are not the trigger's."""
    pipeline = record.pipeline
    if pipeline is None:
        return "unknown"
    elsewhere = [pipeline.account] if pipeline.account != record.account else []
    elsewhere += [pipeline.region] if pipeline.region != record.region else []
    return f"{pipeline.name} ({' '.join(elsewhere)})" if elsewhere else pipeline.name


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
                if not forecast_output.write(text):
                    return
    finally:
        # Also when what makes the lines ends with an error: what was found is printed.
        if batch:
            forecast_output.write("\n".join(batch))


def _plain_lines(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Iterator[str]:
    coming = iter(rows)
    # An error before the first leaves nothing on standard output.
    first = list(islice(coming, 1))
    for row in chain([columns], first, coming):
        # A tab or a line break within a value would break the columns.
        yield "\t".join(" ".join((cell or "").split()) or NOTHING for cell in row)


def write_json(head: Mapping[str, Any], member: str, items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON object with `head` and the items under `member`; written as the items come."""
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
