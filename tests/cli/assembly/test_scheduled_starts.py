from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.cli.assembly.assembly import read_assembly
from scheduled_pipeline.cli.assembly.scheduled_starts import ScheduledStart, find_starts
from scheduled_pipeline.trigger.expression import Dialect

Find = Callable[..., tuple[ScheduledStart, ...]]
Make = Callable[..., dict[str, Any]]
CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"


@pytest.fixture
def find(write_assembly: Callable[..., Path]) -> Find:
    def run(resource: dict[str, Any], **others: Any) -> tuple[ScheduledStart, ...]:
        return find_starts(read_assembly(write_assembly({"Start": resource, **others})))

    return run


def test_a_schedule_has_the_defaults_of_the_service(find: Find, schedule: Make) -> None:
    (start,) = find(schedule())
    assert (start.kind, start.dialect) == ("schedule", Dialect.SCHEDULER)
    assert (str(start.name), str(start.state), str(start.timezone)) == ("Nightly", "ENABLED", "UTC")
    assert (start.group, start.start, start.end, start.window, start.condition) == (None,) * 5
    assert start.pipelines == ("training",)
    assert start.enabled


def test_a_schedule_is_read_with_all_its_properties(find: Find, schedule: Make) -> None:
    resource = schedule(
        GroupName="group",
        State="DISABLED",
        ScheduleExpressionTimezone="Asia/Tokyo",
        StartDate="2027-01-01T00:00:00Z",
        EndDate="2028-01-01T00:00:00Z",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
    )
    (start,) = find({**resource, "Condition": "IsProd"})
    values = (start.group, start.state, start.timezone, start.start, start.end, start.window)
    assert [str(value) for value in values] == [
        *("group", "DISABLED", "Asia/Tokyo", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "15"),
    ]
    assert start.condition == "IsProd"
    assert not start.enabled


def test_a_schedule_that_cloudformation_names_has_its_logical_id(find: Find, schedule: Make) -> None:
    assert str(find(schedule(Name=None))[0].name) == "Start"


def test_a_name_with_functions_in_it_is_readable(find: Find, schedule: Make) -> None:
    name = {"Fn::Join": ["-", [{"Ref": "AWS::StackName"}, {"Ref": "Suffix"}]]}
    assert str(find(schedule(Name=name))[0].name) == "Stack-<Suffix>"


@pytest.mark.parametrize(
    ("target", "pipeline"),
    [
        ({"Arn": "arn:aws-cn:sagemaker:cn-north-1:111122223333:pipeline/training"}, "training"),
        (
            {
                "Arn": {
                    "Fn::Join": [
                        "",
                        ["arn:aws:sagemaker:eu-west-1:", {"Ref": "AWS::AccountId"}, ":pipeline/a"],
                    ]
                }
            },
            "a",
        ),
        ({"Arn": {"Fn::Sub": "arn:aws:sagemaker:${AWS::Region}:1:pipeline/${Pipeline}"}}, "named-pipeline"),
        ({"Arn": {"Ref": "Given"}, "SageMakerPipelineParameters": {}}, "<Given>"),
        ({"Arn": CALL, "Input": '{"PipelineName": "training"}'}, "training"),
        (
            {
                "Arn": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, CALL.removeprefix("arn:aws")]]},
                "Input": {"Fn::Join": ["", ['{"PipelineName":"', {"Ref": "Pipeline"}, '"}']]},
            },
            "named-pipeline",
        ),
        ({"Arn": CALL, "Input": {"Ref": "Given"}}, "<PipelineName>"),
        ({"Arn": CALL}, "<PipelineName>"),
    ],
)
def test_a_target_that_is_a_pipeline_is_found(
    find: Find, schedule: Make, target: object, pipeline: str
) -> None:
    named = {"Type": "AWS::SageMaker::Pipeline", "Properties": {"PipelineName": "named-pipeline"}}
    (start,) = find(schedule(Target=target), Pipeline=named)
    assert start.pipelines == (pipeline,)


@pytest.mark.parametrize(
    "target",
    [
        {"Arn": "arn:aws:lambda:eu-west-1:111122223333:function:cleanup"},
        {"Arn": "arn:aws:codepipeline:eu-west-1:111122223333:pipeline/build"},
        {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:stopPipelineExecution"},
        {"Arn": {"Fn::GetAtt": ["Function", "Arn"]}},
        {"Ref": "Unknown"},
        "not an object",
        None,
    ],
)
def test_a_schedule_of_something_else_is_left_out(find: Find, schedule: Make, target: object) -> None:
    assert find(schedule(Target=target)) == ()


def test_a_rule_on_a_schedule_is_read_in_the_dialect_of_rules(find: Find, rule: Make) -> None:
    (start,) = find(rule(State="DISABLED"))
    assert (start.kind, start.dialect) == ("rule", Dialect.RULE)
    assert (str(start.name), str(start.timezone), start.enabled) == ("Start", "UTC", False)


def test_a_rule_with_several_pipelines_names_each_once(find: Find, rule: Make) -> None:
    arns = [f"arn:aws:sagemaker:eu-west-1:1:pipeline/{name}" for name in ("a", "b", "a")]
    targets = [{"Arn": arn} for arn in [*arns, "arn:aws:sqs:eu-west-1:1:queue"]]
    assert find(rule(Targets=targets))[0].pipelines == ("a", "b")


@pytest.mark.parametrize("targets", [[{"Arn": "arn:aws:sqs:eu-west-1:1:queue"}], [], None, {"Ref": "Odd"}])
def test_a_rule_of_something_else_is_left_out(find: Find, rule: Make, targets: object) -> None:
    assert find(rule(Targets=targets)) == ()


def test_a_rule_on_events_is_left_out(find: Find, rule: Make) -> None:
    assert find(rule(expression=None, EventPattern={"source": ["aws.s3"]})) == ()
