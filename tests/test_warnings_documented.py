"""Every warning of the package is in docs/warnings.md, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assembly_warnings import warnings_of
from aws_cdk import Annotations, Stack

from scheduled_pipeline import PipelineDefinition, PipelineSchedule, ScheduledPipeline

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "constructs" / "scheduled_pipeline"
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")]


def _constants() -> dict[str, str]:
    return {
        target.id: str(node.value.value)
        for tree in TREES
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and str(node.value.value).startswith("scheduled-pipeline:")
    }


def _raised() -> set[str]:
    """The ids in the calls that add a warning, without what a warning puts behind its own."""
    constants = _constants()
    found = set()
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("add_warning"):
                given = node.args[0]
                if isinstance(given, ast.JoinedStr):
                    first = given.values[0]
                    given = first.value if isinstance(first, ast.FormattedValue) else first
                found.add(constants[given.id] if isinstance(given, ast.Name) else ast.unparse(given))
    return found


def test_the_document_has_every_id_and_no_other() -> None:
    text = (ROOT / "docs" / "warnings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)
    assert sorted(re.sub(r":<.*", "", row) for row in rows) == sorted(_raised())


def test_no_other_document_has_a_table_of_warnings() -> None:
    others = [path for path in (ROOT / "docs").glob("*.md") if path.name != "warnings.md"]
    assert not [path.name for path in others if re.search(r"^\| Warning \|", path.read_text("utf-8"), re.M)]


def test_a_warning_that_is_acknowledged_as_the_document_says_is_gone(
    new_stack: Callable[..., Stack], small_definition: dict[str, Any]
) -> None:
    nightly = PipelineSchedule.cron("0 3 * * ? *")
    found = []
    for acknowledged in (False, True):
        stack = new_stack()
        pipeline = ScheduledPipeline(
            stack,
            "Training",
            definition=PipelineDefinition.from_json(small_definition),
            schedules={"A": nightly, "B": nightly},
        )
        if acknowledged:
            Annotations.of(pipeline).acknowledge_warning("scheduled-pipeline:overlap", "meant")
        found.append(any("both start the pipeline" in one for one in warnings_of(stack)))
    assert found == [True, False]
