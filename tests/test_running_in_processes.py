"""How the tests are dealt out to processes, and what comes back from them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dealing
import pytest
from fault_matrix import Line, matrix
from fault_report import PROPERTY, lines

ROOT = Path(__file__).resolve().parents[1]


def _report(nodeid: str, start: float, title: str | None, outcome: str = "passed") -> Any:
    properties = [] if title is None else [(PROPERTY, Line(title=title).with_outcome(outcome))]
    return SimpleNamespace(nodeid=nodeid, start=start, user_properties=properties)


def test_the_fault_matrix_has_each_line_once_file_by_file_whatever_process_it_came_from() -> None:
    reports = [
        _report("tests/lifecycle/test_b.py::test_1", 1.0, "b 1"),
        _report("tests/lifecycle/test_a.py::test_2", 2.5, "a 2", "failed"),
        _report("tests/lifecycle/test_b.py::test_2", 3.0, "b 2"),
        _report("tests/lifecycle/test_a.py::test_1", 0.5, "a 1"),
        _report("tests/lifecycle/test_a.py::test_1", 0.6, None),
    ]
    printed = matrix(lines(reports))
    rows = [line.split("\u2502") for line in printed.splitlines() if line.startswith("\u2502")]
    assert [(row[1].strip(), row[-2].strip()) for row in rows] == [
        ("a 1", "passed"),
        ("a 2", "failed"),
        ("b 1", "passed"),
        ("b 2", "passed"),
    ]


def test_a_file_is_never_dealt_out_in_parts() -> None:
    file = "tests/trigger/test_event.py"
    assert {dealing.together(f"{file}::{name}") for name in ("test_1", "Class::test_2[a::b]")} == {file}


@pytest.mark.parametrize(
    "place", [*(place for places in dealing.TOGETHER.values() for place in places), *dealing.LONGEST]
)
def test_what_is_dealt_out_by_name_is_there(place: str) -> None:
    assert place in dealing.TOGETHER or (ROOT / place).exists()
