"""What holds for every script that runs in a container."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PIPELINE_DEFS = Path(__file__).parents[2] / "pipeline_defs"
SCRIPTS = sorted(PIPELINE_DEFS.glob("*/code/*.py"))


def test_there_are_scripts_to_check() -> None:
    assert [script.name for script in SCRIPTS] == ["evaluate.py", "preprocess.py", "process.py"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_has_only_syntax_that_the_container_knows(script: Path) -> None:
    """The scikit-learn 1.2 and XGBoost 1.7 containers run Python 3.8."""
    ast.parse(script.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_imports_nothing_of_the_project(script: Path) -> None:
    """It is the only file that the job gets."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {
        name for name in imported if name.split(".")[0] in {"", "pipeline_defs", "scheduled_pipeline"}
    }
