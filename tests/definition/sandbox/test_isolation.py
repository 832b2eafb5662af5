"""What a build function does to its process is seen by no other definition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scheduled_pipeline.definition.compiler import child_process
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition

KINDS = [
    *("default_session", "patched_sdk", "patched_pipeline", "pandas_option", "numpy_option"),
    *("decimal_context", "time_zone", "umask", "module", "import_hook", "search_path", "variable"),
    *("folder", "random_state", "numpy_random_state", "builtin", "locale", "warnings", "logging"),
    *("recursion_limit", "file_in_home", "sdk_config"),
]
# What it would take to see a leak: each kind of state, as a process is in which nothing was done.
_seen: dict[str, bool] = {}


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    compiler = Compiler()
    yield compiler
    compiler.close()
    print("\nkind of state        leaks")
    for kind, leaks in _seen.items():
        print(f"{kind:<20} {int(leaks)}")


def _compile(compiler: Compiler, function: str, **values: Any) -> str:
    compiled = compiler.compile(
        PipelineDefinition.from_function(f"leaking_pipelines:{function}"),
        region="eu-west-1",
        partition="aws",
        pipeline_name="sample",
        values=values,
    )
    return str(compiled.parameters[0].default)


@pytest.fixture(scope="module")
def untouched(compiler: Compiler) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(_compile(compiler, "show"))
    return shown


def test_every_kind_of_state_is_looked_at(untouched: dict[str, Any]) -> None:
    assert sorted(untouched) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_state_does_not_leak(compiler: Compiler, untouched: dict[str, Any], kind: str) -> None:
    _compile(compiler, "leave", Kind=kind)
    after = json.loads(_compile(compiler, "show"))
    _seen[kind] = after[kind] != untouched[kind]
    assert after == untouched


def test_what_was_left_is_seen_in_the_process_that_it_was_left_in(compiler: Compiler) -> None:
    """Or the tests above would see nothing."""
    for kind in KINDS:
        before, after = json.loads(_compile(compiler, "leave_and_show", Kind=kind))
        assert before[kind] != after[kind], kind


def test_where_there_is_no_fork_each_definition_has_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[None] = []

    class WithoutFork(child_process.Child):
        def __init__(self, *given: Any) -> None:
            started.append(None)
            super().__init__(*given, forks=False)

    monkeypatch.setattr("scheduled_pipeline.definition.compiler.lanes.Child", WithoutFork)
    compiler = Compiler()
    try:
        untouched = json.loads(_compile(compiler, "show"))
        _compile(compiler, "leave", Kind="patched_sdk")
        assert json.loads(_compile(compiler, "show")) == untouched
    finally:
        compiler.close()
    assert len(started) == 3
