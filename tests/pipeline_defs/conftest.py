"""Run the scripts of the pipelines as their containers do: as a program of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

PIPELINE_DEFS = Path(__file__).parents[2] / "pipeline_defs"

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def run_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``abalone/code/preprocess.py`` and the like with arguments."""

    def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PIPELINE_DEFS / script), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    return run
