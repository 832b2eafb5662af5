"""The templates of the app's cloud assembly."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def templates(own_assembly: Path) -> dict[str, Path]:
    """The templates of all stages by stack name."""
    return {path.name.split(".")[0]: path for path in sorted(own_assembly.glob("assembly-*/*.template.json"))}
