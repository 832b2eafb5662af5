"""List what starts SageMaker pipelines in an account.

Covered are the schedules of EventBridge Scheduler in all groups and the rules of EventBridge on all event
buses whose target is a SageMaker pipeline, or the scheduler's own call of StartPipelineExecution. For each:
whether its pipeline exists, and which CloudFormation stack owns it.

A terminal gets a table. A pipe gets lines of columns separated by tabs, as they are found: KIND, REGION,
GROUP (the schedule group or the event bus), NAME, STATE, EXPRESSION, TIMEZONE, PIPELINE, EXISTS (yes, no, or
cannot be checked), OWNER. Their names are the first line; a hyphen is nothing.

With --json: an object with regions and triggers; docs/command.md says what is in each.

Exit codes: 0, all was printed; 2, wrong usage; 4, AWS refused a call or could not be asked, and what was
found until then was printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account import trigger_output
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Regions
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.owners import read_owners
from scheduled_pipeline.cli.account.pipeline_lookup import Existence, PipelineLookup
from scheduled_pipeline.cli.account.scan import Progress, scan
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.options import AsJson
from scheduled_pipeline.cli.terminal import progress

COLUMNS = (
    *("KIND", "REGION", "GROUP", "NAME", "STATE", "EXPRESSION", "TIMEZONE"),
    *("PIPELINE", "EXISTS", "OWNER"),
)
"""The columns of the plain form, separated by one tab each."""

Found = tuple[TriggerRecord, Existence]


def list_triggers(
    *,
    profile: Profile = None,
    region: Regions = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Scan the Regions and print what is found as it is found: see this module."""
    with api_errors():
        aws = Aws.connect(profile=profile, endpoint_url=endpoint_url)
        regions = aws.regions(region)
        if as_json:
            found = _documents(_found(aws, regions, lambda text: None))
            printing.write_json({"regions": list(regions)}, "triggers", found)
        elif sys.stdout.isatty():
            _print_table(aws, regions)
        else:
            printing.write_lines(COLUMNS, _rows(_found(aws, regions, lambda text: None)))


def _print_table(aws: Aws, regions: Sequence[str]) -> None:
    rows: list[tuple[str | None, ...]] = []
    try:
        with progress() as show:
            for row in _rows(_found(aws, regions, show)):
                rows.append(row)
    finally:
        # Also when an error ends it: what was found is printed.
        printing.print_table(COLUMNS, rows)
    if not rows:
        typer.echo(f"Nothing starts a SageMaker pipeline in {', '.join(regions)}.", err=True)


def _found(aws: Aws, regions: Sequence[str], show: Progress) -> Iterator[Found]:
    pipelines = PipelineLookup(aws)
    for region in regions:
        owners = read_owners(aws, region, show)
        for record in scan(aws, region, details=True, progress=show):
            owner = owners.of(record)
            yield record.owned_by(None if owner is None else owner.name), pipelines.existence(record)


def _documents(found: Iterator[Found]) -> Iterator[dict[str, Any]]:
    for record, existence in found:
        yield {**trigger_output.document(record), "pipelineExists": existence.known}


def _rows(found: Iterator[Found]) -> Iterator[tuple[str | None, ...]]:
    for record, existence in found:
        yield (
            record.kind,
            record.region,
            record.group,
            record.name,
            record.state,
            trigger_output.when(record),
            None if record.expression is None else record.timezone,
            trigger_output.pipeline_text(record),
            existence.value,
            record.owner,
        )
