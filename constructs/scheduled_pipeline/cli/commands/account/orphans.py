"""Find the triggers that nobody looks after, and delete them.

An orphan is a schedule or a rule that starts a SageMaker pipeline, where the pipeline does not exist
(missing-pipeline), or where no CloudFormation stack owns it (unowned). The SageMaker SDK leaves such
schedules behind: its put_triggers makes them outside of any stack, and its Pipeline.delete does not remove
them. What other tools than CloudFormation own, Terraform for example, is shown as unowned.

Without --delete nothing is changed. With it, those with a missing pipeline are deleted, after a question that
--yes answers. Those that are only unowned still start a pipeline, so they are deleted only with
--delete --reason unowned. Never deleted is what a stack or an AWS service owns, even if its pipeline is
missing, and what starts a pipeline of another account, which cannot be checked. Of a rule with other targets
too only the target is removed. --dry-run shows what --delete would do. Run it again after a failure: what is
gone already is no error.

A terminal gets a table. A pipe gets lines of columns separated by tabs: KIND, REGION, GROUP (the schedule
group or the event bus), NAME, STATE, PIPELINE, REASON, OWNER, RESULT (found, would be deleted, deleted,
target removed, already gone, failed, not tried, kept), NOTE. Their names are the first line; a hyphen is
nothing.

With --json: an object with regions and orphans; docs/command.md says what is in each.

Exit codes: 0, all was done; 1, some could not be deleted, each is named on standard error and the others
are deleted; 2, wrong usage, or there is no terminal to ask at; 4, AWS refused a call or could not be asked;
5, with --fail-on-found, there are orphans, or some are left; 130, interrupted: what was deleted until then is
printed, the others are not tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account import trigger_output
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Regions
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.deletion import Deletion, delete, report_failures
from scheduled_pipeline.cli.account.orphans import Orphan, Reason, find_orphans
from scheduled_pipeline.cli.errors import ExitCode, UsageError
from scheduled_pipeline.cli.options import AsJson
from scheduled_pipeline.cli.terminal import check_askable, confirmed, progress

COLUMNS = (
    *("KIND", "REGION", "GROUP", "NAME", "STATE", "PIPELINE"),
    *("REASON", "OWNER", "RESULT", "NOTE"),
)
"""The columns of the plain form, separated by one tab each."""

_FOUND, _KEPT, _WOULD = "found", "kept", "would be deleted"

Reasons = Annotated[
    list[Reason] | None,
    typer.Option(help="Only those with this reason; repeat it for both. Default: both."),
]

Results = Mapping[int, Deletion]
"""By the place of the orphan among those found."""


def orphans(
    *,
    profile: Profile = None,
    region: Regions = None,
    endpoint_url: EndpointUrl = None,
    reason: Reasons = None,
    pipeline: Annotated[
        str | None, typer.Option(help="Only those that start the pipeline of this name. Default: all.")
    ] = None,
    delete_them: Annotated[bool, typer.Option("--delete", help="Delete, after a question.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --delete: do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what --delete would do; change nothing.")
    ] = False,
    fail_on_found: Annotated[
        bool,
        typer.Option("--fail-on-found", help="End with exit code 5 when there are any, or any are left."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find, show and delete: see this module."""
    asking = delete_them and not (yes or dry_run)
    _check_usage(pipeline, delete_them=delete_them, yes=yes, asking=asking, as_json=as_json)
    with api_errors():
        aws = Aws.connect(profile=profile, endpoint_url=endpoint_url)
        search = _Search(
            aws=aws, regions=aws.regions(region), reasons=reason, pipeline=pipeline, quiet=as_json
        )
        found = search.found()
        doomed = search.doomed(found) if delete_them or dry_run else {}
        if asking or dry_run or not delete_them:
            _print(found, dict.fromkeys(doomed, _WOULD), {}, search.regions, as_json=as_json)
        if asking and doomed:
            doomed = search.still_doomed(doomed) if confirmed(len(doomed)) else {}
        results = _delete(aws, doomed, as_json) if delete_them and not dry_run else {}
    if results or (yes and not dry_run):
        _print(found, {}, results, search.regions, as_json=as_json)
    _end(found, results, fail_on_found)


@dataclass(frozen=True, kw_only=True)
class _Search:
    """What is looked for, and where."""

    aws: Aws
    regions: Sequence[str]
    reasons: Sequence[Reason] | None
    pipeline: str | None
    quiet: bool

    def found(self) -> list[Orphan]:
        """The orphans that are wanted."""
        wanted = set(self.reasons or Reason)
        with progress(quiet=self.quiet) as show:
            return [
                orphan
                for region in self.regions
                for orphan in find_orphans(self.aws, region, show)
                if wanted & set(orphan.reasons) and self._starts_pipeline(orphan)
            ]

    def doomed(self, found: Sequence[Orphan]) -> dict[int, Orphan]:
        """Those to delete, by their place among those found."""
        wanted = set(self.reasons or [Reason.MISSING_PIPELINE])
        return {
            place: orphan
            for place, orphan in enumerate(found)
            if orphan.kept_because is None and wanted & set(orphan.reasons)
        }

    def still_doomed(self, doomed: Mapping[int, Orphan]) -> dict[int, Orphan]:
        """Look again which triggers are to be deleted: time has passed while the operator was asked."""
        now = {_identity(orphan) for orphan in self.doomed(self.found()).values()}
        return {place: orphan for place, orphan in doomed.items() if _identity(orphan) in now}

    def _starts_pipeline(self, orphan: Orphan) -> bool:
        """Whether it starts the pipeline of the name that is wanted; SageMaker ignores the case."""
        if self.pipeline is None:
            return True
        started = orphan.record.pipeline
        return started is not None and started.name.lower() == self.pipeline.lower()


def _identity(orphan: Orphan) -> tuple[str, str | None]:
    return orphan.record.arn, orphan.record.target_id


def _check_usage(pipeline: str | None, *, delete_them: bool, yes: bool, asking: bool, as_json: bool) -> None:
    """Refuse options that contradict each other, an unknown name, and a question without a terminal.

    Raises:
        UsageError: naming what to do instead.
    """
    if yes and not delete_them:
        raise UsageError("--yes answers the question of --delete: add --delete")
    if pipeline is not None and (not pipeline or ":" in pipeline):
        raise UsageError(f"--pipeline must be a name, not an ARN, got {pipeline!r}")
    if asking:
        check_askable(as_json=as_json)


def _delete(aws: Aws, doomed: Mapping[int, Orphan], as_json: bool) -> dict[int, Deletion]:
    records = [orphan.record for orphan in doomed.values()]
    with progress(quiet=as_json) as show:
        deletions = delete(aws, records, lambda number: show(f"{number:,} of {len(records):,} done"))
    return dict(zip(doomed, deletions, strict=True))


def _print(
    found: Sequence[Orphan],
    plan: Mapping[int, str],
    results: Results,
    regions: Sequence[str],
    *,
    as_json: bool,
) -> None:
    if as_json:
        documents = (
            _document(orphan, _result(place, orphan, plan, results), results.get(place))
            for place, orphan in enumerate(found)
        )
        printing.write_json({"regions": list(regions)}, "orphans", documents)
        return
    rows = [_row(orphan, _result(place, orphan, plan, results)) for place, orphan in enumerate(found)]
    printing.write_rows(COLUMNS, rows)
    if not found:
        typer.echo(f"There are no orphans in {', '.join(regions)}.", err=True)


def _result(place: int, orphan: Orphan, plan: Mapping[int, str], results: Results) -> str:
    if place in results:
        return results[place].outcome.value
    return plan.get(place) or (_FOUND if orphan.kept_because is None else _KEPT)


def _document(orphan: Orphan, result: str, deletion: Deletion | None) -> dict[str, Any]:
    return {
        **trigger_output.short_document(orphan.record),
        "pipelineExists": orphan.existence.known,
        "reasons": [reason.value for reason in orphan.reasons],
        "result": result,
        "note": orphan.note,
        "error": None if deletion is None else deletion.error,
    }


def _row(orphan: Orphan, result: str) -> tuple[str | None, ...]:
    record = orphan.record
    return (
        record.kind,
        record.region,
        record.group,
        record.name,
        record.state,
        trigger_output.pipeline_text(record),
        ",".join(orphan.reasons),
        record.owner,
        result,
        orphan.note,
    )


def _end(found: Sequence[Orphan], results: Results, fail_on_found: bool) -> None:
    """Name what failed, and end with the exit code.

    Raises:
        typer.Exit: unless all was done, and nothing that was to fail the command is left.
    """
    report_failures(tuple(results.values()))
    if fail_on_found and len(found) > len(results):
        raise typer.Exit(ExitCode.FOUND)
