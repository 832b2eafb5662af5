from collections.abc import Callable
from typing import Any

import pytest

from local_aws import LocalAws

Resource = Callable[..., dict[str, Any]]
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"


def rule(role: str, name: str = "training") -> dict[str, Any]:
    arn = {"Fn::Sub": f"arn:aws:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:pipeline/{name}"}
    target = {"Id": "Pipeline", "Arn": arn, "RoleArn": {"Fn::GetAtt": [role, "Arn"]}}
    pattern = {"source": ["app"]}
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": [target]}}


def after(aws: LocalAws) -> list[str]:
    return [f"{entry.source_arn.split(':')[2]}: {entry.after}" for entry in aws.dangling()]


def test_nothing_dangles_while_triggers_come_after_their_pipeline_and_go_before_it(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    late = {"DependsOn": "Pipeline"}
    template = {"Role": role(), "Pipeline": pipeline(), "Nightly": {**schedule(), **late}}
    stack.create({**template, "Rule": {**rule("Role"), **late}})
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.dangling() == []


def test_a_trigger_that_is_made_before_its_pipeline_is_noted_though_it_does_not_dangle_in_the_end(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    early = {"Role": role(), "Nightly": schedule(), "Rule": {**rule("Role"), "DependsOn": "Nightly"}}
    assert stack.create({**early, "Pipeline": {**pipeline(), "DependsOn": "Rule"}}) == "CREATE_COMPLETE"
    assert after(aws) == ["scheduler: CreateSchedule", "events: PutTargets"]
    (first, _) = aws.dangling()
    assert first.pipeline_arn == f"arn:aws:sagemaker:us-east-1:{aws.account}:pipeline/training"


@pytest.mark.parametrize("name", ["Training", "arn:aws:sagemaker:us-east-1:{account}:pipeline/Training"])
def test_a_universal_target_dangles_once_its_pipeline_is_deleted(
    *, aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource, name: str
) -> None:
    request = f'{{"PipelineName": "{name.format(account=aws.account)}"}}'
    once = schedule(target={"Arn": UNIVERSAL, "Input": request})
    off = schedule(State="DISABLED")
    stack.create(
        {"Role": role(), "Pipeline": pipeline(), "Once": {**once, "DependsOn": "Pipeline"}, "Off": off}
    )
    assert after(aws) == []
    aws.client("sagemaker").delete_pipeline(PipelineName="Training")
    assert after(aws) == ["scheduler: DeletePipeline"]


def test_a_changed_trigger_dangles_where_its_new_pipeline_is_not_there(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    def template(name: str) -> dict[str, Any]:
        arn = {"Fn::Sub": f"arn:aws:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:pipeline/{name}"}
        nightly = {**schedule(target={"Arn": arn}), "DependsOn": "Pipeline"}
        late = {**rule("Role", name), "DependsOn": "Pipeline"}
        return {"Role": role(), "Pipeline": pipeline(), "Nightly": nightly, "Rule": late}

    stack.create(template("training"))
    assert after(aws) == []
    assert stack.update(template("gone")) == "UPDATE_COMPLETE"
    assert sorted(after(aws)) == ["events: PutTargets", "scheduler: UpdateSchedule"]
