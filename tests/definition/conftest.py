"""One compiler for all, and a project of its own, to see what the cache takes for a change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from cache_lab import Lab
from compiling import CompileFunction, compile_function

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.model import CompiledPipeline


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    """A compiler for each Region's one import of the SDK."""
    compiler = Compiler()
    yield compiler
    compiler.close()


@pytest.fixture(scope="session")
def compiled(compiler: Compiler) -> CompileFunction:
    """Compile a build function by name, each one once."""

    @cache
    def compiled(function: str) -> CompiledPipeline:
        return compile_function(compiler, function)

    return compiled


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
