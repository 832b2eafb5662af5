"""List the latest runs of a SageMaker pipeline, the newest first.

A terminal gets a table. A pipe gets lines of columns separated by tabs: START, STATUS, NAME, SECONDS, REASON,
ARN, FAILED. Their names are the first line; a hyphen is nothing. The duration of a run that has not ended is
counted until now. FAILED is yes for a run that has ended and did not succeed, whatever SageMaker calls it.

With --json: an object with pipeline and runs. Each of the runs has arn, name, status, failed, start, end,
seconds and failureReason; what is absent is null.

Exit codes: 0, all was printed, however the runs ended; 2, wrong usage; 4, there is no such pipeline, AWS
refused a call or could not be asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Annotated, Any

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Region
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.calls import listed, side_by_side
from scheduled_pipeline.cli.account.runs import RunRecord, moment_text
from scheduled_pipeline.cli.options import AsJson
from scheduled_pipeline.trigger.sagemaker_events import STOPPED

COLUMNS = ("START", "STATUS", "NAME", "SECONDS", "REASON", "ARN", "FAILED")
"""The columns of the plain form, separated by one tab each."""
MAXIMUM_RUNS = 1000
"""The most runs that can be asked for."""

_NOTHING = "-"
_PAGE = 100


def runs(
    pipeline: Annotated[str, typer.Argument(help="The pipeline's name or ARN.", show_default=False)],
    *,
    last: Annotated[int, typer.Option(min=1, max=MAXIMUM_RUNS, help="The most runs to print.")] = 10,
    as_json: AsJson = False,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Ask SageMaker and print: see this module."""
    client = Aws.connect(profile=profile, region=region, endpoint_url=endpoint_url).client("sagemaker")
    found = _read(client, pipeline, last)
    now = datetime.now(UTC)
    if as_json:
        printing.write(_to_json(found, pipeline, now))
    elif sys.stdout.isatty():
        _print_to_terminal(found, now)
    else:
        printing.write(_to_plain(found, now))
    if not found and not as_json:
        typer.echo(f"{pipeline} has not run yet.", err=True)


@api_errors()
def _read(client: Any, pipeline: str, last: int) -> list[RunRecord]:
    """The latest runs, by ``ListPipelineExecutions``, and the ends, by ``DescribePipelineExecution``."""
    summaries = listed(
        client.list_pipeline_executions,
        "PipelineExecutionSummaries",
        PipelineName=pipeline,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=min(last, _PAGE),
    )
    return list(side_by_side(partial(_run, client), islice(summaries, last)))


def _run(client: Any, summary: dict[str, Any]) -> RunRecord:
    run = RunRecord.of_summary(summary)
    if not run.ended:
        return run
    return RunRecord.of_description(client.describe_pipeline_execution(PipelineExecutionArn=run.arn))


def _to_json(found: Sequence[RunRecord], pipeline: str, now: datetime) -> str:
    return json.dumps({"pipeline": pipeline, "runs": [_json_run(run, now) for run in found]}, indent=2)


def _json_run(run: RunRecord, now: datetime) -> dict[str, Any]:
    return {
        "arn": run.arn,
        "name": run.display_name,
        "status": run.status,
        "failed": run.failed,
        "start": moment_text(run.start),
        "end": moment_text(run.end),
        "seconds": _seconds(run.duration(now)),
        "failureReason": run.failure_reason,
    }


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


def _to_plain(found: Sequence[RunRecord], now: datetime) -> str:
    rows = [COLUMNS, *(_plain_row(run, now) for run in found)]
    # A tab or a line break within a value would break the columns.
    return "\n".join("\t".join(" ".join(cell.split()) or _NOTHING for cell in row) for row in rows)


def _plain_row(run: RunRecord, now: datetime) -> tuple[str, ...]:
    seconds = _seconds(run.duration(now))
    return (
        moment_text(run.start) or "",
        run.status,
        run.display_name or "",
        "" if seconds is None else str(seconds),
        run.failure_reason or "",
        run.arn,
        "yes" if run.failed else "no",
    )


def _style(run: RunRecord) -> str:
    if run.status == STOPPED:
        return "yellow"
    return "bold red" if run.failed else "green" if run.ended else "cyan"


def _print_to_terminal(found: Sequence[RunRecord], now: datetime) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not found:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("Start (UTC)", "Status", "Name", "Duration", "Reason"):
        table.add_column(title, overflow="fold")
    for run in found:
        duration = run.duration(now)
        table.add_row(
            Text("" if run.start is None else f"{run.start:%a %Y-%m-%d %H:%M:%S}"),
            Text(run.status, style=_style(run)),
            Text(run.display_name or ""),
            Text("" if duration is None else str(duration)),
            Text(run.failure_reason or ""),
        )
    Console(highlight=False).print(table)
