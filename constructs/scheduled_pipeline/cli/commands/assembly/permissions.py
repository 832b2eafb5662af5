"""Print what the execution role of every pipeline of a synthesized app has to be allowed, and why.

Derives it from the definitions in the templates of a cloud assembly, not from AWS, as the construct does for
the role's policy: from the types of the steps, and from the images, places in S3, keys, networks and other
resources that they name. What only the deployment knows is written in angle brackets. The files that the
construct uploads are among it; buckets that are given as data_buckets are not.

A terminal gets tables. A pipe gets lines of columns separated by tabs: STACK, PIPELINE, STEPS, ACTION,
RESOURCE, CONDITION, REASON. Their names are the first line; a hyphen is nothing, in STEPS the whole pipeline;
there is a line for each action on each resource.

With --json: an object with assembly and pipelines. Each of the pipelines has stack, name, logicalId, role,
permissions (each with actions, resources, conditions, steps and reason), unknownPlaces (the steps that read
or write in S3 where the definition does not say), and problem: why nothing could be derived, or null. The
conditions are as in a policy.

Exit codes: 0, all was printed; 1, some definitions cannot be read, each is named on standard error and the
others are printed; 2, wrong usage; 3, there is no cloud assembly, or it is broken.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.assembly.assembly import read_assembly
from scheduled_pipeline.cli.assembly.pipeline_permissions import PipelinePermissions, find_permissions
from scheduled_pipeline.cli.errors import ExitCode
from scheduled_pipeline.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from scheduled_pipeline.definition.permission import Permission

COLUMNS = ("STACK", "PIPELINE", "STEPS", "ACTION", "RESOURCE", "CONDITION", "REASON")
"""The columns of the plain form, separated by one tab each."""

_NOTHING = "-"


def permissions(
    *,
    assembly: Annotated[
        Path, typer.Option(help="The folder that cdk synth wrote, or the assembly of one stack in it.")
    ] = Path("cdk.out"),
    as_json: AsJson = False,
) -> None:
    """Read the assembly, print the permissions and report what cannot be read: see this module."""
    found = find_permissions(read_assembly(assembly))
    if as_json:
        printing.write(_to_json(found, assembly))
    elif sys.stdout.isatty():
        _print_to_terminal(found)
    else:
        printing.write(_to_plain(found))
    if not found and not as_json:
        typer.echo(f"There is no SageMaker pipeline in {assembly}.", err=True)
    unread = [one for one in found if one.problem is not None]
    for one in unread:
        typer.echo(f"Error: {one.stack}: pipeline {one.name}: {one.problem}", err=True)
    if unread:
        raise typer.Exit(ExitCode.REFUSED)


def _to_json(found: Sequence[PipelinePermissions], assembly: Path) -> str:
    document = {"assembly": str(assembly), "pipelines": [_json_pipeline(one) for one in found]}
    return json.dumps(document, indent=2)


def _json_pipeline(one: PipelinePermissions) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "name": one.name,
        "logicalId": one.logical_id,
        "role": one.role,
        "permissions": [
            {
                "actions": list(permission.actions),
                "resources": list(permission.resources),
                "conditions": _conditions(permission),
                "steps": list(permission.steps),
                "reason": permission.reason,
            }
            for permission in one.permissions
        ],
        "unknownPlaces": list(one.unknown),
        "problem": one.problem,
    }


def _conditions(permission: Permission) -> dict[str, dict[str, list[str]]]:
    """The conditions as a policy has them: keys by operator, values by key."""
    found: dict[str, dict[str, list[str]]] = {}
    for operator, key, values in permission.conditions:
        found.setdefault(operator, {})[key] = list(values)
    return found


def _to_plain(found: Sequence[PipelinePermissions]) -> str:
    rows = [COLUMNS, *(row for one in found for row in _plain_rows(one))]
    # A tab or a line break within a value would break the columns.
    return "\n".join("\t".join(" ".join(cell.split()) or _NOTHING for cell in row) for row in rows)


def _plain_rows(one: PipelinePermissions) -> Iterator[tuple[str, ...]]:
    for permission in one.permissions:
        steps = ",".join(permission.steps)
        for action in permission.actions:
            for resource in permission.resources:
                condition = _condition_text(permission)
                yield one.stack, one.name, steps, action, resource, condition, permission.reason


def _condition_text(permission: Permission) -> str:
    texts = (f"{operator} {key} {','.join(values)}" for operator, key, values in permission.conditions)
    return "; ".join(texts)


def _print_to_terminal(found: Sequence[PipelinePermissions]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for place, one in enumerate(found):
        if place:
            console.print()
        _print_section(console, one)


def _print_section(console: Console, one: PipelinePermissions) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console.print(Text.assemble((one.stack, "cyan"), "  ", (one.name, "bold"), f"  runs as {one.role}"))
    if one.problem is not None:
        console.print(Text(f"not known: {one.problem}", style="bold red"))
    if one.unknown:
        steps = ", ".join(one.unknown)
        console.print(Text(f"the definition does not say where in S3 these read or write: {steps}", "yellow"))
    if not one.permissions:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("Steps and why", "Actions", "Resources"):
        table.add_column(title, overflow="fold")
    for permission in one.permissions:
        steps = ", ".join(permission.steps) or "the whole pipeline"
        resources = "\n".join(permission.resources)
        condition = _condition_text(permission)
        table.add_row(
            Text.assemble((steps, "bold"), f"\n{permission.reason}"),
            Text("\n".join(permission.actions)),
            Text.assemble(resources, (f"\nif {condition}" if condition else "", "yellow")),
        )
    console.print(table)
