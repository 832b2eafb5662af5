"""Stacks side by side in one account: each owns its own, and none harms another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fault_matrix import Row


def test_two_stages_in_one_account(cloud: Any, row: Row) -> None:
    stages = replace(cloud.base, stack="Training", pipeline_name=None, stages=("Dev", "Prod"))
    cloud.cdk(stages).deploy()
    row.settle()
    assert row.after["pipelines"] - row.before.get("pipelines", 0) == 2
    assert row.after["schedules"] - row.before.get("schedules", 0) == 4
    dev = [name for name in cloud.aws.inventory().stacks if name.startswith("Dev")]
    assert dev == ["Dev-Training"]


def test_one_of_two_stages_destroyed(cloud: Any, row: Row) -> None:
    stages = replace(cloud.base, stack="Training", pipeline_name=None, stages=("Dev", "Prod"))
    if "Dev-Training" not in cloud.aws.inventory().stacks:
        cloud.cdk(stages).deploy()
    cloud.cdk(stages).destroy("Dev/Training")
    row.settle()
    assert [name for name in cloud.names("pipelines") if name.startswith("Dev")] == []
    (pipeline,) = [name for name in cloud.names("pipelines") if name.startswith("Prod")]
    assert len([name for name in cloud.names("schedules") if name.startswith("Prod")]) == 2
    executions = cloud.aws.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)
    assert len(executions["PipelineExecutionSummaries"]) >= 2
    cloud.cdk(stages).destroy("Prod/Training")


def test_two_stacks_with_one_pipeline_name(cloud: Any, row: Row) -> None:
    """The change set already fails; nothing of the second stack is made."""
    from local_aws.cdk_cli import CdkError

    cloud.be(cloud.base)
    before = cloud.aws.inventory()
    second = cloud.cdk(replace(cloud.base, stack="Second"))
    taken = "Resource of type 'AWS::SageMaker::Pipeline' with identifier 'Lifecycle' already exists"
    with pytest.raises(CdkError, match=taken):
        second.deploy()
    assert cloud.aws.inventory().added_since(before) == {"stacks": ("Second",)}
    row.settle()
    second.destroy()
    assert cloud.aws.inventory() == before


def test_two_stacks_with_one_pipeline_name_and_no_validation(cloud: Any, row: Row) -> None:
    """Where nothing is validated before, SageMaker refuses the pipeline, and the rollback is the second's."""
    cloud.be(cloud.base)
    before, executions = cloud.aws.inventory(), len(cloud.executions())
    folder = Path(str(cloud.cdk(replace(cloud.base, stack="Second")).app))
    cloudformation = cloud.aws.client("cloudformation")
    cloudformation.create_stack(
        StackName="Second",
        TemplateBody=(folder / "Second.template.json").read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        DisableValidation=True,
    )
    assert cloud.settled_status("Second") == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName="Second")["StackEvents"]
    failed = " ".join(str(event.get("ResourceStatusReason")) for event in events)
    assert "already exists" in failed
    assert cloud.aws.inventory().added_since(before) == {"stacks": ("Second",)}
    assert before.added_since(cloud.aws.inventory()) == {}
    row.settle()
    assert len(cloud.executions()) == executions + 2
    cloudformation.delete_stack(StackName="Second")
