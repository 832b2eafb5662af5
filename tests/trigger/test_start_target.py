from __future__ import annotations

import json
from typing import Any

import pytest

from scheduled_pipeline.trigger.start_target import (
    START_ACTION,
    is_start_call,
    parameters_of,
    pipeline_named,
    request_of,
    start_call_arn,
    start_request,
    starts_pipeline,
    unresolved_pipeline_named,
)

PIPELINE = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/nightly"
CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
REQUEST = start_request(
    pipeline_name="nightly",
    client_request_token="t" * 32,
    parameters=[("Date", "today")],
    display_name="night",
    version_id=7,
)


def call(request: object) -> dict[str, Any]:
    return {"Arn": CALL, "Input": json.dumps(request)}


def test_the_request_is_one_that_the_service_model_takes() -> None:
    botocore = pytest.importorskip("botocore.session", reason="botocore comes with the SDK")
    validate = pytest.importorskip("botocore.validate")
    service, operation = START_ACTION.split(":")
    shape = botocore.get_session().get_service_model(service).operation_model(operation).input_shape
    assert validate.ParamValidator().validate(REQUEST, shape).generate_report() == ""
    assert set(REQUEST) <= set(shape.members)


def test_what_is_not_given_is_not_sent() -> None:
    assert start_request(pipeline_name="nightly", client_request_token="t" * 32) == {
        "PipelineName": "nightly",
        "ClientRequestToken": "t" * 32,
    }


def test_the_call_is_known_in_every_partition_and_case() -> None:
    assert start_call_arn("aws-us-gov") == CALL.replace("arn:aws:", "arn:aws-us-gov:")
    assert is_start_call(start_call_arn("aws-cn"))
    assert is_start_call(CALL.lower())
    assert not is_start_call(CALL + "s")


@pytest.mark.parametrize(
    ("arn", "starts"),
    [(PIPELINE, True), (CALL, True), ("arn:aws:lambda:eu-west-1:111122223333:function:pipeline/x", False)],
)
def test_a_pipeline_and_the_call_start_one(arn: str, starts: bool) -> None:
    assert starts_pipeline(arn) is starts


def test_what_was_written_is_read() -> None:
    assert pipeline_named(call(REQUEST)) == "nightly"
    assert parameters_of(call(REQUEST)) == (("Date", "today"),)


def test_a_templated_target_is_read() -> None:
    listed = {"PipelineParameterList": [{"Name": "Date", "Value": "today"}]}
    target = {"Arn": PIPELINE, "SageMakerPipelineParameters": listed}
    assert (pipeline_named(target), parameters_of(target)) == (PIPELINE, (("Date", "today"),))


def test_the_first_letter_of_a_member_may_be_small() -> None:
    assert pipeline_named(call({"pipelineName": "nightly"})) == "nightly"


@pytest.mark.parametrize("text", ["", "null", "[]", "no JSON", "[" * 100_000, '{"PipelineName": 3}'])
def test_a_request_that_cannot_be_read_names_no_pipeline(text: str) -> None:
    target = {"Arn": CALL, "Input": text}
    assert pipeline_named(target) is None
    assert parameters_of(target) == ()
    assert isinstance(request_of(target), dict)


def test_a_name_that_the_scheduler_puts_in_is_not_known() -> None:
    assert pipeline_named(call({"PipelineName": "<aws.scheduler.execution-id>"})) is None


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ({"Arn": "arn:<AWS::Partition>:sagemaker:<AWS::Region>:1:pipeline/nightly"}, "nightly"),
        (
            {"Arn": "arn:<AWS::Partition>:scheduler:::aws-sdk:sagemaker:startPipelineExecution"},
            "<PipelineName>",
        ),
        (call({"PipelineName": "nightly"}), "nightly"),
        ({"Arn": "<Import>", "SageMakerPipelineParameters": {}}, "<Import>"),
        ({"Arn": "<Import>"}, None),
    ],
)
def test_a_target_of_a_template_is_read_as_far_as_it_is_known(
    target: dict[str, Any], name: str | None
) -> None:
    assert unresolved_pipeline_named(target) == name
