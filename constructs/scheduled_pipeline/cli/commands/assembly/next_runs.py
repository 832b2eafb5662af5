"""Print the coming runs of every schedule of a synthesized app.

Reads the templates in a cloud assembly, not AWS: what is printed is what a deployment of them will do.
Covered are the schedules of EventBridge Scheduler, and the rules of EventBridge on a schedule, that start
a SageMaker pipeline. A disabled one is listed without runs. The runs of a rate without a start date are
counted from its deployment, so they are approximate.

A terminal gets tables. A pipe gets lines of columns separated by tabs: UTC, LOCAL, TIMEZONE, STATE,
STACK, KIND, NAME, PIPELINE, EXPRESSION, START, END, NOTE. Their names are the first line; a hyphen is
nothing; a schedule without runs has one line.

With --json: an object with assembly, after, count and schedules. Each of the schedules has stack, kind
(schedule or rule), name, group, logicalId, pipelines, state, expression, description, timezone, start,
end, windowMinutes, approximate, runs (each with utc, local and note), clockChanges (each with effect,
which is skipped or once, first, last, runs and text), notes, and problem: why AWS would refuse it.
What is absent is null; what only the deployment knows is written in angle brackets.

Exit codes: 0, all was printed; 1, AWS would refuse some schedules, each is named on standard error and
the others are printed; 2, wrong usage; 3, there is no cloud assembly, or it is broken.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.assembly import forecast_output
from scheduled_pipeline.cli.assembly.assembly import read_assembly
from scheduled_pipeline.cli.assembly.forecast import Forecast, forecast
from scheduled_pipeline.cli.assembly.scheduled_starts import find_starts
from scheduled_pipeline.cli.errors import ExitCode
from scheduled_pipeline.cli.options import After, AsJson, check_count
from scheduled_pipeline.trigger.time_zone import utc_text


def next_runs(
    *,
    assembly: Annotated[
        Path, typer.Option(help="The folder that cdk synth wrote, or the assembly of one stage in it.")
    ] = Path("cdk.out"),
    count: Annotated[
        int,
        typer.Option(
            callback=check_count, metavar="1..1000", help="The most runs to print of each schedule."
        ),
    ] = 10,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Read the assembly, print the runs and report what AWS would refuse: see this module."""
    moment = after if after is not None else datetime.now(UTC).replace(microsecond=0)
    starts = find_starts(read_assembly(assembly))
    forecasts = [forecast(start, after=moment, count=count) for start in starts]
    if as_json:
        printing.write(forecast_output.to_json(forecasts, assembly=assembly, after=moment, count=count))
    elif sys.stdout.isatty():
        _print_to_terminal(forecasts, moment)
    else:
        printing.write(forecast_output.to_plain(forecasts))
    if not forecasts and not as_json:
        typer.echo(f"No schedule and no rule in {assembly} starts a SageMaker pipeline.", err=True)
    _report_problems(forecasts)


def _print_to_terminal(forecasts: list[Forecast], after: datetime) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if forecasts:
        console.print(f"Runs after {utc_text(after)}\n", style="dim")
    forecast_output.print_table(console, forecasts)


def _report_problems(forecasts: list[Forecast]) -> None:
    """Name on standard error what AWS would refuse, and end with that exit code.

    Raises:
        typer.Exit: when there is any.
    """
    refused = [one for one in forecasts if one.problem is not None]
    for one in refused:
        start = one.start
        typer.echo(f"Error: {start.stack}: {start.kind} {start.name}: {one.problem}", err=True)
    if refused:
        raise typer.Exit(ExitCode.REFUSED)
