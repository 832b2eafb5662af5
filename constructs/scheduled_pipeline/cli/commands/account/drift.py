"""Compare what is deployed with the templates of a synthesized app: schedules, rules, groups and pipelines.

CloudFormation cannot read a schedule that is in a group of its own, so cdk drift takes it for deleted. This
command reads the account itself: each schedule, rule with its targets, schedule group and pipeline of the
stacks in the assembly, and tells what was changed by hand (changed, with each field, what the template has
and what the account has), what is not there any more (missing), and which schedules are in a group of a stack
and in no stack of the assembly (stray). A resource that the assembly has otherwise than the deployed template
is not deployed yet, which is no drift. What only CloudFormation knows is not compared, and said to be so.

With --revert what was changed is put back, after a question that --yes answers: UpdateSchedule, PutRule and
PutTargets, UpdatePipeline. What is missing is not created: that is CloudFormation's. Strays stay: see
scheduled-pipeline orphans.

A stack that names its Region is looked at there, another one where --region says.

A terminal gets a section for each resource. A pipe gets lines of columns separated by tabs: STACK, REGION,
KIND, GROUP (the schedule group or the event bus), NAME, RESULT (changed, missing, stray, not deployed, not
compared, reverted, failed, not tried), FIELD, TEMPLATE, ACCOUNT, NOTE. Their names are the first line; a
hyphen is nothing; there is a line for each field that differs.

With --json: an object with version, assembly, regions, stacks, notCompared, compared, drift and resources;
docs/command.md says what is in each.

Exit codes: 0, there is no drift, or all of it was put back; 1, there is drift, or none of the stacks could be
compared; 2, wrong usage, or there is no terminal to ask at; 3, there is no cloud assembly, or it is broken;
4, AWS refused a call or could not be asked; 130, interrupted: what was put back until then is printed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Region
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.assembly.assembly import Stack, read_assembly
from scheduled_pipeline.cli.drift import output
from scheduled_pipeline.cli.drift.finding import Finding, Result
from scheduled_pipeline.cli.drift.put_back import put_back
from scheduled_pipeline.cli.drift.search import Drift, find_drift
from scheduled_pipeline.cli.errors import CommandError, ExitCode, UsageError
from scheduled_pipeline.cli.options import AsJson
from scheduled_pipeline.cli.terminal import agreed, check_askable, progress


def drift(
    *,
    assembly: Annotated[
        Path, typer.Option("--assembly", "--app", help="The folder that cdk synth wrote.")
    ] = Path("cdk.out"),
    stack: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A stack, * for any letters; repeat it for more. Default: all."),
    ] = None,
    revert: Annotated[
        bool, typer.Option("--revert", help="Put back what was changed, after a question.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --revert: do not ask.")] = False,
    as_json: AsJson = False,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Compare, print and put back: see this module."""
    if yes and not revert:
        raise UsageError("--yes answers the question of --revert: add --revert")
    asking = revert and not yes
    if asking:
        check_askable(as_json=as_json, what="--revert", instead="add --yes")
    stacks = read_assembly(assembly)
    wanted = _wanted(stacks, stack or ["*"], assembly)
    with api_errors():
        aws = Aws.connect(profile=profile, region=region, endpoint_url=endpoint_url)
        with progress(quiet=as_json) as show:
            found = find_drift(aws, stacks, wanted, show)
        _check_compared(found)
        findings: Sequence[Finding] = found.findings
        changed = sum(finding.can_be_put_back for finding in findings)
        if asking or not (revert and changed):
            _print(found, findings, assembly, as_json=as_json)
        if revert and changed and (yes or agreed(_question(changed))):
            with progress(quiet=as_json) as show:
                findings = put_back(aws, findings, lambda number: show(f"{number:,} of {changed:,} done"))
            _print(found, findings, assembly, as_json=as_json)
    _end(found, findings, as_json=as_json)


def _wanted(stacks: Sequence[Stack], patterns: Sequence[str], assembly: Path) -> frozenset[str]:
    """The names of the root stacks that are asked for.

    Raises:
        UsageError: a pattern fits none.
    """
    roots = [stack.name for stack in stacks if "/" not in stack.name]
    for pattern in patterns:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in roots):
            raise UsageError(f"{assembly} has no stack {pattern!r}: there are {', '.join(roots) or 'none'}")
    return frozenset(name for name in roots if any(fnmatchcase(name, pattern) for pattern in patterns))


def _check_compared(found: Drift) -> None:
    """Refuse to say that there is no drift where nothing was compared.

    Raises:
        CommandError: none of the stacks could be.
    """
    if found.uncompared and not found.stacks:
        reasons = "; ".join(f"stack {one.stack.name}: {one.reason}" for one in found.uncompared)
        raise CommandError(f"nothing could be compared: {reasons}")


def _question(changed: int) -> str:
    what = "this 1 resource" if changed == 1 else f"these {changed:,} resources"
    return f"Put {what} back to what the template says?"


def _print(found: Drift, findings: Sequence[Finding], assembly: Path, *, as_json: bool) -> None:
    if as_json:
        head = output.document(found, findings, str(assembly))
        printing.write_json(head, "resources", (output.resource_document(one) for one in findings))
    elif sys.stdout.isatty():
        output.print_sections(findings)
    else:
        printing.write_lines(output.COLUMNS, output.rows(findings))


def _end(found: Drift, findings: Sequence[Finding], *, as_json: bool) -> None:
    """Say how it ended, and end with the exit code.

    Raises:
        typer.Exit: there is drift.
    """
    for one in [] if as_json else found.uncompared:
        typer.echo(f"not compared: stack {one.stack.name}: {one.reason}", err=True)
    for name in [] if as_json else found.changing:
        typer.echo(f"stack {name} is being changed now: what is shown may be half of it", err=True)
    for finding in findings:
        if finding.result is Result.FAILED:
            typer.echo(f"Error: the {finding} was not put back: {finding.error}", err=True)
    if not as_json:
        typer.echo(_summary(found, findings), err=True)
    if any(finding.result is Result.UNTRIED for finding in findings):
        raise typer.Exit(ExitCode.INTERRUPTED)
    if any(finding.drifted for finding in findings):
        raise typer.Exit(ExitCode.REFUSED)


def _summary(found: Drift, findings: Sequence[Finding]) -> str:
    if not found.stacks:
        return "The assembly has no schedule, rule or pipeline."
    counts = Counter(finding.result.value for finding in findings)
    told = ", ".join(f"{count:,} {result}" for result, count in counts.items()) or "no drift"
    places = f"{len(found.stacks):,} stacks" if len(found.stacks) != 1 else f"stack {found.stacks[0]}"
    return f"{found.compared:,} resources of {places} compared in {', '.join(found.regions)}: {told}."
