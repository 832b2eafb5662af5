"""How drift is printed: sections for a terminal, lines for a pipe, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.drift.finding import Finding, Result
from scheduled_pipeline.cli.drift.search import Drift

VERSION = 1
"""Of the JSON document: one more when a member is renamed, removed or means something else."""
COLUMNS = (
    *("STACK", "REGION", "KIND", "GROUP", "NAME", "RESULT"),
    *("FIELD", "TEMPLATE", "ACCOUNT", "NOTE"),
)
"""The columns of the plain form, separated by one tab each; a line for each field that differs."""

_AT_MOST = 20
"""Fields of one resource that a terminal gets."""
_STYLES = {
    Result.CHANGED: "bold yellow",
    Result.MISSING: "bold red",
    Result.STRAY: "bold magenta",
    Result.REVERTED: "green",
    Result.FAILED: "bold red",
}


def document(drift: Drift, findings: Sequence[Finding], assembly: str) -> dict[str, Any]:
    """All but the resources; ``docs/command.md`` says what is in it."""
    return {
        "version": VERSION,
        "assembly": assembly,
        "regions": drift.regions,
        "stacks": drift.stacks,
        "notCompared": [
            {"stack": one.stack.name, "region": one.region, "reason": one.reason} for one in drift.uncompared
        ],
        "changing": drift.changing,
        "compared": drift.compared,
        "drift": any(finding.drifted for finding in findings),
    }


def resource_document(finding: Finding) -> dict[str, Any]:
    """One of the resources."""
    return {
        "stack": finding.stack,
        "region": finding.region,
        "kind": finding.kind,
        "group": finding.group,
        "name": finding.name,
        "logicalId": finding.logical_id,
        "result": finding.result.value,
        "fields": [
            {"field": one.field, "template": one.template, "account": one.account} for one in finding.fields
        ],
        "notCompared": list(finding.not_compared),
        "note": finding.note,
        "error": finding.error,
    }


def rows(findings: Sequence[Finding]) -> Iterator[tuple[str | None, ...]]:
    """The lines of the plain form."""
    for finding in findings:
        head = (
            *(finding.stack, finding.region, finding.kind, finding.group, finding.name),
            finding.result.value,
        )
        note = _note(finding)
        for one in finding.fields:
            yield (*head, one.field, one.template, one.account, note)
        if not finding.fields:
            yield (*head, None, None, None, note)


def _note(finding: Finding) -> str:
    parts = [finding.note, finding.error, *(f"not compared: {one}" for one in finding.not_compared)]
    return "; ".join(part for part in parts if part)


def print_sections(findings: Sequence[Finding]) -> None:
    """A section for each resource, which fits into 80 columns."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console, stack = Console(highlight=False), None
    for finding in findings:
        if finding.stack != stack:
            stack = finding.stack
            console.print(Text.assemble((stack, "cyan"), f"  {finding.region}"))
        place = finding.name if finding.group is None else f"{finding.group}/{finding.name}"
        style = _STYLES.get(finding.result, "dim")
        console.print(
            Padding(
                Text.assemble((finding.result.value, style), f"  {finding.kind} ", (place, "bold")), (0, 2)
            )
        )
        if finding.fields:
            console.print(Padding(_table(finding), (0, 4)))
        note = _note(finding)
        if note:
            console.print(Padding(Text(note), (0, 4)))


def _table(finding: Finding) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("Field", "Template", "Account"):
        table.add_column(title, overflow="fold")
    for one in finding.fields[:_AT_MOST]:
        table.add_row(*(Text(cell or printing.NOTHING) for cell in (one.field, one.template, one.account)))
    more = len(finding.fields) - _AT_MOST
    if more > 0:
        table.add_row(Text(f"and {more:,} more: --json has all", style="dim"))
    return table
