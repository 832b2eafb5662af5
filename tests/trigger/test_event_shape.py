"""What events hold, as AWS documents it, and what paths into them may be."""

import re
from typing import Any

import pytest
from botocore.session import Session

from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.matching import event_shape
from scheduled_pipeline.trigger.matching.event_shape import EventShape

KINDS = {
    "string": {event_shape.TEXT, event_shape.ARN},
    "timestamp": {event_shape.TIME, event_shape.MOMENT},
    "boolean": {event_shape.TRUTH},
    "integer": {event_shape.NUMBER},
    "long": {event_shape.NUMBER},
    "list": {event_shape.LIST},
    "map": {event_shape.OBJECT},
    "structure": {event_shape.OBJECT},
}


@pytest.mark.parametrize(
    ("shape", "operation", "beside"),
    [
        (event_shape.TRAINING_JOB, "DescribeTrainingJob", {"Tags"}),
        (event_shape.ENDPOINT, "DescribeEndpoint", {"Tags"}),
        (event_shape.MODEL_PACKAGE, "DescribeModelPackage", {"Tags", "UpdatedModelPackageFields"}),
    ],
)
def test_a_detail_has_the_members_of_the_services_own_model(
    shape: EventShape, operation: str, beside: set[str]
) -> None:
    output = Session().get_service_model("sagemaker").operation_model(operation).output_shape
    assert output is not None
    assert {name for name in shape.detail if name not in output.members} == beside
    wrong = {
        name
        for name, member in output.members.items()
        if shape.detail.get(name) not in KINDS[member.type_name]
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("factory", "options", "path", "hint"),
    [
        ("s3_object_created", {"bucket_name": "raw"}, "$.detail.bukket.name", "did you mean bucket?"),
        ("s3_object_created", {"bucket_name": "raw"}, "$.detail.object.name", "detail.object has etag, key"),
        ("s3_object_created", {"bucket_name": "raw"}, "$.detail.reason.code", "detail.reason is a text"),
        ("model_package_approval", {}, "$.detail.ModelPackageArns", "did you mean ModelPackageArn?"),
        ("training_job_state_change", {"name_prefix": "a"}, "$.detail.TrainingJob", "did you mean Training"),
        ("endpoint_state_change", {}, "$.detail.Endpoint", "did you mean Endpoint"),
        ("pipeline_execution_status_change", {}, "$.detail.status", "detail has currentPipeline"),
    ],
)
def test_a_path_that_the_documented_event_does_not_have_is_refused(
    factory: str, options: dict[str, Any], path: str, hint: str
) -> None:
    message = rf"parameters\['A'\] is never in the event .*, got '{re.escape(path)}': {re.escape(hint)}"
    with pytest.raises(ValueError, match=message):
        getattr(EventTrigger, factory)(parameters={"A": path}, **options)


@pytest.mark.parametrize(
    ("factory", "options", "paths"),
    [
        (
            "s3_object_created",
            {"bucket_name": "raw"},
            [
                "$",
                "$.detail",
                "$.detail.object.key",
                "$.detail.object.version-id",
                "$.time",
                "$.resources[0]",
            ],
        ),
        (
            "model_package_approval",
            {},
            ["$.detail.CustomerMetadataProperties.team", "$.detail.ModelPackageArn"],
        ),
        (
            "training_job_state_change",
            {"name_prefix": "a"},
            ["$.detail.ModelArtifacts.S3ModelArtifacts", "$.detail.InputDataConfig[0].ChannelName"],
        ),
    ],
)
def test_a_path_that_it_may_have_is_taken(factory: str, options: dict[str, Any], paths: list[str]) -> None:
    for path in paths:
        getattr(EventTrigger, factory)(parameters={"A": path}, **options)


def test_a_pattern_of_ones_own_may_read_what_this_package_does_not_know_yet() -> None:
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
    EventTrigger.pattern(pattern, parameters={"A": "$.detail.new-field"})


def test_what_a_path_may_be_is_told_where_it_is_documented() -> None:
    paths = {
        "Key": "$.detail.object.key",
        "Size": "$.detail.object.size",
        "Time": "$.time",
        "All": "$.detail",
    }
    made = EventTrigger.s3_object_created(bucket_name="raw", parameters={**paths, "Who": "$.account"})
    assert {name: value.words for name, value in made.start_values.items()} == {
        "Key": "a text",
        "Size": "a number",
        "Time": "a time",
        "All": "an object",
    }
    assert EventTrigger.pattern({"source": ["my.app"]}, parameters=paths).start_values == {}
