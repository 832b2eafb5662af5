"""CONTRIBUTING names places that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "constructs" / "scheduled_pipeline"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATHS = re.findall(r"`([\w.-]+(?:/[\w.-]*)+|\w+\.(?:py|toml|md|json|txt))`", TEXT)


def test_every_path_exists() -> None:
    assert len(PATHS) > 40
    assert [path for path in PATHS if not (ROOT / path).exists() and not (PACKAGE / path).exists()] == []


def test_the_table_has_the_ten_commonest_changes_and_more() -> None:
    table = TEXT.split("| To change | Look in | Its tests |\n")[1].split("\n\n")[0]
    rows = [row.split(" | ") for row in table.splitlines()[1:]]
    assert len(rows) >= 10
    assert all("`" in cell for row in rows for cell in row[1:])


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([\w-]+)", TEXT)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_name_in_a_recipe_is_in_a_file_of_that_recipe() -> None:
    for text in TEXT.split("### ")[1:]:
        recipe = text.split("\n## ")[0]
        files = [found for path in re.findall(r"`([\w./-]+\.py)`", recipe) for found in _files(path)]
        source = "".join(path.read_text(encoding="utf-8") for path in files)
        names = re.findall(r"`(_?[A-Z]\w+|__\w+__)`", recipe)
        assert [name for name in names if name not in source] == []


def _files(path: str) -> list[Path]:
    return [folder / path for folder in (ROOT, PACKAGE) if (folder / path).exists()]
