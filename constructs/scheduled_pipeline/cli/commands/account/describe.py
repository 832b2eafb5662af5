"""Describe one schedule or rule that starts a SageMaker pipeline, with its next runs.

NAME is its ARN, its name, or its schedule group or event bus, a slash and its name. A name that is used in
several groups, or by a schedule and a rule, is an error that lists them. The Regions to look in are those of
--region; that of an ARN is the ARN's own.

The next runs are computed here, as EventBridge does it: in the time zone, with its daylight-saving rules. The
runs of a rate without a start date are counted from the schedule's creation, so they are approximate.

A terminal and a pipe get a line for each fact; in a pipe a tab separates its name from its value. With
--json: an object; docs/command.md says what is in it.

Exit codes: 0, it was printed; 1, there is no such trigger, or there are several, or its expression cannot be
read; 2, wrong usage; 4, AWS refused a call or could not be asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account import trigger_output
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Regions
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.owners import read_owners
from scheduled_pipeline.cli.account.pipeline_lookup import Existence, PipelineLookup
from scheduled_pipeline.cli.account.trigger_names import TriggerName, find_trigger
from scheduled_pipeline.cli.account.trigger_records import SCHEDULE, TriggerRecord
from scheduled_pipeline.cli.assembly import forecast_output
from scheduled_pipeline.cli.assembly.forecast import Forecast, Run, forecast
from scheduled_pipeline.cli.assembly.intrinsics import Text
from scheduled_pipeline.cli.assembly.scheduled_starts import ScheduledStart
from scheduled_pipeline.cli.errors import CommandError
from scheduled_pipeline.cli.options import After, AsJson, check_count
from scheduled_pipeline.cli.terminal import progress
from scheduled_pipeline.trigger.expression import Dialect
from scheduled_pipeline.trigger.time_zone import utc_text


def describe(
    name: TriggerName,
    *,
    profile: Profile = None,
    region: Regions = None,
    endpoint_url: EndpointUrl = None,
    count: Annotated[
        int,
        typer.Option(callback=check_count, metavar="1..1000", help="The most runs to print."),
    ] = 10,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Find it, compute its runs and print: see this module."""
    moment = after if after is not None else datetime.now(UTC).replace(microsecond=0)
    with api_errors(), progress(quiet=as_json) as show:
        aws = Aws.connect(profile=profile, endpoint_url=endpoint_url)
        records = find_trigger(aws, name, region)
        owner = read_owners(aws, records[0].region, show).of(records[0])
        records = tuple(record.owned_by(None if owner is None else owner.name) for record in records)
        lookup = PipelineLookup(aws)
        existences = [lookup.existence(record) for record in records]
    runs = _forecast(records[0], moment, count)
    if as_json:
        printing.write(json.dumps(_document(records, existences, runs, moment), indent=2))
    else:
        _print(list(_facts(records, existences, runs)))
    if runs is not None and runs.problem is not None:
        raise CommandError(f"{records[0]}: its next runs are not known: {runs.problem}")


def _forecast(record: TriggerRecord, after: datetime, count: int) -> Forecast | None:
    """Its next runs; nothing for a rule on events."""
    if record.expression is None:
        return None
    counted_from = _counted_from(record)
    start = record.start or counted_from
    found = forecast(
        ScheduledStart(
            dialect=Dialect.SCHEDULER if record.kind == SCHEDULE else Dialect.RULE,
            stack=record.owner or "",
            logical_id=record.name,
            name=Text(text=record.name),
            pipelines=() if record.pipeline is None else (record.pipeline.name,),
            state=Text(text=record.state),
            expression=Text(text=record.expression),
            timezone=Text(text=record.timezone),
            start=None if start is None else Text(text=utc_text(start)),
            end=None if record.end is None else Text(text=utc_text(record.end)),
            window=None if record.window_minutes is None else Text(text=str(record.window_minutes)),
        ),
        after=after,
        count=count,
    )
    if counted_from is None:
        return found
    note = f"approximate: counted from its creation, {utc_text(counted_from)}"
    return replace(found, approximate=True, notes=(note, *found.notes))


def _counted_from(record: TriggerRecord) -> datetime | None:
    """The creation of a rate without a start date, which runs at once when it is created."""
    is_rate = record.expression is not None and record.expression.startswith("rate(")
    if record.start is not None or record.created is None or not is_rate:
        return None
    return record.created.replace(microsecond=0)


def _document(
    records: Sequence[TriggerRecord], existences: Sequence[Existence], runs: Forecast | None, after: datetime
) -> dict[str, Any]:
    return {
        "triggers": [
            {**trigger_output.document(record), "pipelineExists": existence.known}
            for record, existence in zip(records, existences, strict=True)
        ],
        "schedule": None if runs is None else runs.description,
        "after": utc_text(after),
        "approximate": runs is not None and runs.approximate,
        "nextRuns": [] if runs is None else [forecast_output.json_run(run) for run in runs.runs],
        "notes": [] if runs is None else list(runs.notes),
        "problem": None if runs is None else runs.problem,
    }


def _facts(
    records: Sequence[TriggerRecord], existences: Sequence[Existence], runs: Forecast | None
) -> Iterator[tuple[str, str]]:
    """Names and values, in the order in which they are read."""
    first = records[0]
    shared = {
        "kind": first.kind,
        "name": first.name,
        "group" if first.kind == SCHEDULE else "event bus": first.group,
        "arn": first.arn,
        "state": first.state,
        "description": first.description,
        "expression": first.expression,
        "in words": None if runs is None else runs.description,
        "time zone": None if runs is None else first.timezone,
        "start": None if first.start is None else utc_text(first.start),
        "end": None if first.end is None else utc_text(first.end),
        "flexible window": None if first.window_minutes is None else f"{first.window_minutes} minutes",
        "event pattern": first.event_pattern,
        "after completion": first.action_after_completion,
        "key": first.kms_key_arn,
        "owner": first.owner or "no stack owns it",
    }
    yield from ((name, value) for name, value in shared.items() if value is not None)
    for record, existence in zip(records, existences, strict=True):
        yield from _target_facts(record, existence)
    if runs is not None:
        yield from (("note", note) for note in runs.notes)
        yield from (("next run", _run_text(run)) for run in runs.runs)


def _target_facts(record: TriggerRecord, existence: Existence) -> Iterator[tuple[str, str]]:
    facts = {
        "target": record.target_arn,
        "pipeline": trigger_output.pipeline_text(record),
        "pipeline exists": existence.value,
        "role": record.role_arn,
        "input": record.input,
        "dead-letter queue": record.dead_letter_arn,
        "retry attempts": record.maximum_retry_attempts,
        "event age": record.maximum_event_age_seconds and f"{record.maximum_event_age_seconds} seconds",
        "other targets": record.other_targets or None,
    }
    yield from ((name, str(value)) for name, value in facts.items() if value is not None)
    yield from (("parameter", f"{name}={value}") for name, value in record.parameters)


def _run_text(run: Run) -> str:
    note = "" if run.note is None else f" ({run.note})"
    local = run.moment.isoformat()
    return f"{utc_text(run.moment)} = {local}{note}" if run.moment.utcoffset() else f"{local}{note}"


def _print(facts: Sequence[tuple[str, str]]) -> None:
    if not sys.stdout.isatty():
        printing.write_pairs(facts)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(value))
    Console(highlight=False).print(table)
