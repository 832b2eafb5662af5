"""The deployer's policies, and nothing else, deploy, change, roll back and destroy a stack with every option.

The local AWS checks each call of CloudFormation's handlers against the role, by a table of its own that is
made from AWS's schemas.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from template_parts import NewStack, with_artifacts

if TYPE_CHECKING:
    from local_aws.server import LocalAws

ACCOUNT = "600000000001"
REGION = "us-east-1"
_PATIENCE_SECONDS = 60
_names = itertools.count(1)
Statements = list[dict[str, Any]]


@pytest.fixture(scope="module")
def aws(local_aws: LocalAws) -> LocalAws:
    """An account with what bootstrapping leaves, and a key that an administrator has made."""
    found = replace(local_aws, account=ACCOUNT)
    found.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="99", Type="String")
    found.client("s3").create_bucket(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}")
    return found


@pytest.fixture(scope="module")
def key(aws: LocalAws) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def statements(new_stack: NewStack, key: str) -> Statements:
    """The statements of all policies for stacks whose names begin with ``Whole``."""
    from aws_cdk.assertions import Template

    from scheduled_pipeline import DeployerPolicy

    stack = new_stack(account=ACCOUNT, region=REGION)
    DeployerPolicy(stack, "Deployer", prefixes=["Whole"], encryption_keys=[key])
    found = Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy")
    return [
        _plain(one)
        for policy in found.values()
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def _plain(value: Any) -> Any:
    """A template value with the partition filled in."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return {"AWS::Partition": "aws"}[value["Ref"]]
    if "Fn::Join" in value:
        return "".join(_plain(part) for part in value["Fn::Join"][1])
    return {name: _plain(content) for name, content in value.items()}


@pytest.fixture(scope="module")
def templates(new_stack: NewStack, small_definition: dict[str, Any], key: str) -> tuple[str, str, str]:
    """A stack with every option; the same with another size of everything; and one that fails at its end."""
    first, changed = (_everything(new_stack, small_definition, key, hours) for hours in (1, 2))
    broken = json.loads(changed)
    broken["Resources"]["Broken"] = {
        "Type": "AWS::IAM::Policy",
        "DependsOn": [
            name for name, one in broken["Resources"].items() if one["Type"] == "AWS::Scheduler::Schedule"
        ],
        "Properties": {
            "PolicyName": "Broken",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
            "Roles": ["Whole-there-is-no-such-role"],
        },
    }
    return first, changed, json.dumps(broken)


def _everything(new_stack: NewStack, small_definition: dict[str, Any], key: str, hours: int) -> str:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from aws_cdk.assertions import Template

    from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline

    stack = new_stack("Whole", account=ACCOUNT, region=REGION)
    s3.Bucket(
        stack, "Scratch", removal_policy=RemovalPolicy.DESTROY, auto_delete_objects=True, versioned=True
    )
    logs.LogGroup(stack, "Log", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY)
    ScheduledPipeline(
        stack,
        "Training",
        definition=PipelineDefinition.from_json(with_artifacts(small_definition)),
        schedules={"Rarely": PipelineSchedule.cron(f"0 {hours} 1 1 ? 2099")},
        events={"Data": EventTrigger.s3_object_created(bucket_name="data", prefix=f"raw{hours}/")},
        encryption_key=kms.Key.from_key_arn(stack, "Key", key),
        notify=sns.Topic(stack, "Alerts", display_name=f"every {hours} hours"),
        dashboard=True,
        description=f"every {hours} hours",
    )
    return json.dumps(Template.from_stack(stack).to_json())


@dataclass
class Deployer:
    """CloudFormation with a role that has these statements, on a stack of its own."""

    aws: LocalAws
    statements: Statements
    refused: str = ""

    def __post_init__(self) -> None:
        number = next(_names)
        self.stack, iam, name = f"Whole{number}", self.aws.client("iam"), f"deployer-{number}"
        trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}}
        made = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=_document([{**trust, "Action": "sts:AssumeRole"}])
        )
        self._role = made["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="Deploy", PolicyDocument=_document(self.statements))

    def live(self, first: str, changed: str, broken: str) -> Iterator[str]:
        """Each status that a life comes to: made, not changed, changed, and gone."""
        yield self._deploy(first, "CREATE")
        yield self._deploy(broken, "UPDATE")
        yield self._deploy(changed, "UPDATE")
        identifier = self._cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]["StackId"]
        self._cloudformation.delete_stack(StackName=self.stack)
        yield self._settled(identifier)

    def _deploy(self, template: str, kind: str) -> str:
        # The names in the template are made from that of its stack: each life has another.
        body = template.replace("Whole", self.stack).replace("whole", self.stack.lower())
        names = {"StackName": self.stack, "ChangeSetName": f"Change{next(_names)}"}
        self._cloudformation.create_change_set(
            **names,
            ChangeSetType=kind,
            TemplateBody=body,
            RoleARN=self._role,
            Capabilities=["CAPABILITY_IAM"],
        )
        found = self._cloudformation.describe_change_set(**names)
        if found["Status"] == "FAILED":
            self.refused = found["StatusReason"]
            return str(found["Status"])
        self._cloudformation.execute_change_set(**names)
        return self._settled(self.stack)

    def _settled(self, name: str) -> str:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        status = "_IN_PROGRESS"
        while status.endswith("_IN_PROGRESS") and time.monotonic() < deadline:
            time.sleep(0.02)
            status = str(self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        reasons = [one.get("ResourceStatusReason", "") for one in events]
        self.refused += "\n".join(reason for reason in reasons if "is not authorized to perform" in reason)
        return status

    @property
    def _cloudformation(self) -> Any:
        return self.aws.client("cloudformation")


def _document(statements: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


SIDS = (
    *("Schedules", "ScheduleGroups", "Pipelines", "Queues", "Rules", "Roles", "PassRoles", "FunctionRoles"),
    *("Keys", "Alarms", "Topics", "Dashboards", "Functions", "LogGroups", "LogLists"),
    *("Buckets", "Assets", "BootstrapVersion"),
)


def test_they_are_enough_for_the_whole_life_of_a_stack(
    aws: LocalAws, statements: Statements, templates: tuple[str, str, str]
) -> None:
    deployer = Deployer(aws, statements)
    ends = list(deployer.live(*templates))
    assert deployer.refused == ""
    assert ends == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"]


def test_every_statement_is_tried(statements: Statements) -> None:
    """That on definitions serves those that a function writes, which the local AWS does not run here."""
    assert {str(one["Sid"]) for one in statements} == {*SIDS, "Definitions"}


@pytest.mark.parametrize("sid", SIDS)
def test_without_one_statement_the_stack_is_refused(
    aws: LocalAws, statements: Statements, templates: tuple[str, str, str], sid: str
) -> None:
    deployer = Deployer(aws, [one for one in statements if one["Sid"] != sid])
    for _ in deployer.live(*templates):
        if deployer.refused:
            break
    assert "is not authorized to perform" in deployer.refused
