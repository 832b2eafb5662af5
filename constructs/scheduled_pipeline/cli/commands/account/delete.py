"""Delete schedules and rules that start a SageMaker pipeline, by name.

Each NAME is an ARN, a name, or a schedule group or event bus, a slash and a name; `describe` shows what it
means. All names are looked up before anything is deleted: a name that nothing has, or that several have, and
what a stack or an AWS service owns are errors, and then nothing is deleted. With --missing-ok a name that
nothing has is no error, so that the command can be run again after a failure.

It asks first; --yes does not, --dry-run only shows. Of a rule with other targets too only the pipelines are
removed.

A terminal gets a table. A pipe gets lines of columns separated by tabs: KIND, REGION, GROUP, NAME, PIPELINE,
RESULT (would be deleted, deleted, target removed, already gone, failed, not tried). With --json: an object
with triggers; docs/command.md says what is in each.

Exit codes: 0, all are gone; 1, nothing was deleted for one of the reasons above, or some could not be
deleted, each is named on standard error; 2, wrong usage, or there is no terminal to ask at; 4, AWS refused a
call or could not be asked; 130, interrupted, and those that are done are printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account import trigger_output
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Regions
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.deletion import Deletion, delete, report_failures
from scheduled_pipeline.cli.account.owners import Owners, read_owners
from scheduled_pipeline.cli.account.scan import Progress
from scheduled_pipeline.cli.account.trigger_names import NoTriggerError, find_trigger
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.errors import CommandError
from scheduled_pipeline.cli.options import AsJson
from scheduled_pipeline.cli.terminal import check_askable, confirmed, progress

COLUMNS = ("KIND", "REGION", "GROUP", "NAME", "PIPELINE", "RESULT")
"""The columns of the plain form, separated by one tab each."""


def delete_triggers(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Names, GROUP/NAME or ARNs.", show_default=False)
    ],
    *,
    profile: Profile = None,
    region: Regions = None,
    endpoint_url: EndpointUrl = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted.")] = False,
    missing_ok: Annotated[
        bool, typer.Option("--missing-ok", help="A name that nothing has is no error.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look all of them up, ask, delete and report: see this module."""
    if not (yes or dry_run):
        check_askable(as_json=as_json)
    with api_errors(), progress(quiet=as_json) as show:
        aws = Aws.connect(profile=profile, endpoint_url=endpoint_url)
        records = list(_found(aws, names, region, missing_ok))
        _check_owners(aws, records, show)
    if not yes or dry_run:
        _print(records, None, as_json=as_json)
    if dry_run or not (yes or (records and confirmed(len(records)))):
        return
    with api_errors():
        results = delete(aws, records)
    _print(records, results, as_json=as_json)
    report_failures(results)


def _found(
    aws: Aws, names: Sequence[str], regions: Sequence[str] | None, missing_ok: bool
) -> Iterator[TriggerRecord]:
    seen: set[str] = set()
    for name in dict.fromkeys(names):
        try:
            found = find_trigger(aws, name, regions)
        except NoTriggerError:
            if not missing_ok:
                raise
            continue
        if found[0].arn not in seen:
            yield from found
        seen.add(found[0].arn)


def _check_owners(aws: Aws, records: Sequence[TriggerRecord], show: Progress) -> None:
    """Refuse to delete what is not the operator's to delete.

    Raises:
        CommandError: naming the owner.
    """
    by_region: dict[str, Owners] = {}
    for record in records:
        if record.region not in by_region:
            by_region[record.region] = read_owners(aws, record.region, show)
        owner = by_region[record.region].of(record)
        if owner is not None:
            raise CommandError(f"nothing was deleted: {record}: {owner.advice(record)}")


def _print(records: Sequence[TriggerRecord], results: Sequence[Deletion] | None, *, as_json: bool) -> None:
    planned = (("would be deleted", None) for _ in records)
    ends = planned if results is None else ((one.outcome.value, one.error) for one in results)
    rows = zip(records, ends, strict=True)
    if as_json:
        documents = (
            {**trigger_output.short_document(record), "result": result, "error": error}
            for record, (result, error) in rows
        )
        printing.write_json({}, "triggers", documents)
        return
    cells = (
        (record.kind, record.region, record.group, record.name, trigger_output.pipeline_text(record), result)
        for record, (result, _) in rows
    )
    printing.write_rows(COLUMNS, cells)
