"""Every option of the constructs refuses a value of a wrong type; a new option is covered by itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3

from scheduled_pipeline import FleetPipeline, PipelineDefinition, PipelineFleet, ScheduledPipeline
from scheduled_pipeline.arguments import check_arguments, options_of

NewStack = Callable[..., Stack]


class _Wrong:
    """What no option may be."""

    def __repr__(self) -> str:
        return "<wrong>"


class _Unknown:
    def __init__(self, *, plain: str, strange: set[int]) -> None: ...


def _options(of: type) -> list[str]:
    parameters = inspect.signature(vars(of)["__init__"]).parameters.values()
    return [one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]


def _never_none(of: type) -> list[str]:
    return [name for name, (_, optional) in options_of(of).items() if not optional and name != "definition"]


@pytest.fixture
def definition(small_definition: dict[str, Any]) -> PipelineDefinition:
    return PipelineDefinition.from_json(small_definition)


@pytest.fixture
def app(feature_flags: dict[str, Any]) -> App:
    return App(context=feature_flags, analytics_reporting=False)


@pytest.mark.parametrize("option", _options(ScheduledPipeline))
def test_an_option_of_a_pipeline_of_a_wrong_type_is_refused(
    option: str, new_stack: NewStack, definition: PipelineDefinition
) -> None:
    given: dict[str, Any] = {"definition": definition, option: _Wrong()}
    with pytest.raises(TypeError, match=rf"^Stack/Training: {option} must be .+, got <wrong>"):
        ScheduledPipeline(new_stack(), "Training", **given)


@pytest.mark.parametrize("option", _options(PipelineFleet))
def test_an_option_of_a_fleet_of_a_wrong_type_is_refused(option: str, app: App) -> None:
    given: dict[str, Any] = {"pipelines": {}, option: _Wrong()}
    with pytest.raises(TypeError, match=rf"^Fleet: {option} must be .+, got <wrong>"):
        PipelineFleet(app, "Fleet", **given)


@pytest.mark.parametrize("option", [field.name for field in fields(FleetPipeline)])
def test_an_option_of_a_pipeline_of_a_fleet_of_a_wrong_type_is_refused(
    option: str, app: App, definition: PipelineDefinition
) -> None:
    given: dict[str, Any] = {"definition": definition, "stack": "Shop", option: _Wrong()}
    with pytest.raises(TypeError, match=rf"^Fleet[^ ]*: .*{option} must be .+, got <wrong>"):
        PipelineFleet(app, "Fleet", pipelines={"orders": FleetPipeline(**given)})


@pytest.mark.parametrize("option", _never_none(ScheduledPipeline))
def test_an_option_that_is_not_optional_is_not_none(
    option: str, new_stack: NewStack, definition: PipelineDefinition
) -> None:
    given: dict[str, Any] = {"definition": definition, option: None}
    with pytest.raises(TypeError, match=rf"^Stack/Training: {option} must be .+, got None"):
        ScheduledPipeline(new_stack(), "Training", **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"suppress_findings": "abc"}, r"suppress_findings must be a list of strings, .*, got 'abc' \(str\)"),
        ({"suppress_findings": [5]}, r"suppress_findings\[0\] must be a string, got 5 \(int\)"),
        ({"suppress_findings": {"a": "b"}}, r"suppress_findings must be a list of strings, .* \(dict\)"),
        ({"data_buckets": [None]}, r"data_buckets\[0\] must be an s3.IBucket, .*, got None"),
        ({"data_buckets": "my-bucket"}, "data_buckets must be a list of buckets, .*, got 'my-bucket'"),
        ({"schedules": {5: None}}, "schedules must have strings as names, got 5"),
        ({"max_parallel_steps": True}, "max_parallel_steps must be a whole number, got True"),
        ({"alarms": "no"}, r"alarms must be True or False, got 'no' \(str\)"),
    ],
)
def test_what_looks_right_and_is_not_is_refused(
    given: dict[str, Any], message: str, new_stack: NewStack, definition: PipelineDefinition
) -> None:
    with pytest.raises(TypeError, match=f"^Stack/Training: {message}"):
        ScheduledPipeline(new_stack(), "Training", definition=definition, **given)


def test_one_bucket_in_the_place_of_a_list_is_refused(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    stack = new_stack()
    bucket: Any = s3.Bucket.from_bucket_name(stack, "Bucket", "my-bucket")
    with pytest.raises(TypeError, match=r"^Stack/Training: data_buckets must be a list of buckets"):
        ScheduledPipeline(stack, "Training", definition=definition, data_buckets=bucket)


def test_an_annotation_that_nothing_checks_is_an_error_of_the_package() -> None:
    expected = r"_Unknown: nothing checks the option strange: set\[int\]; add a row"
    with pytest.raises(NotImplementedError, match=expected):
        check_arguments("Stack/Training", _Unknown, {"plain": "text", "strange": {1}})
