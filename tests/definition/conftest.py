"""A project of its own, to see what the cache takes for a change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cache_lab import Lab

from scheduled_pipeline.definition.compiler.cache import CompiledCache


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("project")
    lab = Lab(folder, CompiledCache(folder / ".scheduled-pipeline"))
    yield lab
    lab.compiler.close()


@pytest.fixture
def lab(shared_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The folder, cache and child process of one module's tests; each test writes modules of its own."""
    shared_lab.enter(monkeypatch)
    return shared_lab
