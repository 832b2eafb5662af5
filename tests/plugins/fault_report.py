"""The fault matrix at the end of a run: a line for each lifecycle test, whatever process ran it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

PROPERTY = "fault matrix"
"""The property of a test's report that has its line; reports go from process to process."""


def lines(reports: Iterable[Any]) -> list[dict[str, Any]]:
    """The lines of these reports: files by name, in each the order of the run."""
    found = [
        (report.nodeid.partition("::")[0], report.start, line)
        for report in reports
        for name, line in getattr(report, "user_properties", ())
        if name == PROPERTY
    ]
    return [line for *_, line in sorted(found, key=lambda one: one[:2])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix once."""
    found = lines(report for reports in terminalreporter.stats.values() for report in reports)
    if found:
        from fault_matrix import matrix

        terminalreporter.write_line("")
        terminalreporter.write_line(matrix(found).rstrip())
