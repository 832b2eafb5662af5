"""The index of the decisions is complete, and every decision has a number and a date of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DECISIONS = Path(__file__).resolve().parents[1] / "docs" / "decisions"
FILES = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
ROWS = re.findall(
    r"^\| (?:\[(\d+)\]\(([^)]+)\)|(\d+)) \| (.+?) \| (.*?) ?\| .+ \|$",
    (DECISIONS / "README.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def test_the_index_has_every_number_once_in_order() -> None:
    numbers = [int(linked or unlinked) for linked, _, unlinked, _, _ in ROWS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers[-1] >= max(int(path.name[:4]) for path in FILES)


def test_a_number_without_a_decision_says_what_became_of_it() -> None:
    titles = {title for _, file, _, title, _ in ROWS if not file}
    assert titles <= {"*never used*", "*reserved*"}


def test_the_index_has_every_decision() -> None:
    assert [file for _, file, _, _, _ in ROWS if file] == [path.name for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_decision_has_the_number_title_and_date_of_its_row(path: Path) -> None:
    title, blank, date, *_ = path.read_text(encoding="utf-8").splitlines()
    row = next(row for row in ROWS if row[1] == path.name)
    assert title == f"# {row[0]}. {row[3]}"
    assert int(path.name[:4]) == int(row[0])
    assert not blank
    assert date == f"Date: {row[4]}"
    assert re.fullmatch(r"Date: \d{4}-\d{2}-\d{2}", date)
