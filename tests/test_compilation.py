"""How definitions are compiled, as the context of the app says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from scheduled_pipeline.compilation import compile_options
from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.options import CompileOptions


def _options(context: dict[str, Any]) -> CompileOptions:
    app = App(context=context, analytics_reporting=False)
    return compile_options(Stack(app, "Stack", env=Environment(region="eu-west-1")))


def test_without_a_word_the_cache_is_in_the_working_directory() -> None:
    assert _options({}) == CompileOptions(CompiledCache(Path.cwd() / ".scheduled-pipeline"), 300.0, False)


@pytest.mark.parametrize("off", [False, "false", "False"])
def test_the_cache_can_be_turned_off(off: Any) -> None:
    assert _options({"scheduled-pipeline:cache": off}).cache is None


@pytest.mark.parametrize("on", [True, "true"])
def test_the_cache_can_be_turned_on_by_name(on: Any) -> None:
    assert _options({"scheduled-pipeline:cache": on}) == _options({})


@pytest.mark.parametrize(
    ("given", "folder"), [("build/cache", Path.cwd() / "build/cache"), ("/tmp/cache", Path("/tmp/cache"))]
)
def test_the_cache_can_be_elsewhere(given: str, folder: Path) -> None:
    assert _options({"scheduled-pipeline:cache": given}).cache == CompiledCache(folder)


@pytest.mark.parametrize("given", [60, "60", 60.0])
def test_the_timeout_is_in_seconds(given: Any) -> None:
    assert _options({"scheduled-pipeline:compile-timeout": given}).timeout == 60.0


@pytest.mark.parametrize(("given", "shown"), [(True, True), ("true", True), ("false", False), (None, False)])
def test_the_output_of_the_sdk_is_shown_when_asked_for(given: Any, shown: bool) -> None:
    assert _options({"scheduled-pipeline:sdk-output": given}).show_output is shown


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            {"scheduled-pipeline:cache": 5},
            "context 'scheduled-pipeline:cache' must be a folder, true or false, got 5",
        ),
        ({"scheduled-pipeline:cache": ""}, "must be a folder, true or false, got ''"),
        (
            {"scheduled-pipeline:compile-timeout": "soon"},
            "Stack: context 'scheduled-pipeline:compile-timeout' must be a number of seconds above 0, got 's",
        ),
        ({"scheduled-pipeline:compile-timeout": 0}, "must be a number of seconds above 0, got 0"),
        ({"scheduled-pipeline:compile-timeout": True}, "must be a number of seconds above 0, got True"),
        (
            {"scheduled-pipeline:sdk-output": "yes"},
            "Stack: context 'scheduled-pipeline:sdk-output' must be true or false, got 'yes'",
        ),
        ({"scheduled-pipeline:sdk-output": 1}, "must be true or false, got 1"),
        ({"scheduled-pipeline:compile-timeout": "inf"}, "must be a number of seconds above 0, got 'inf'"),
    ],
)
def test_a_slip_names_the_key_the_value_and_what_is_allowed(context: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _options(context)
