"""The role that CloudFormation deploys a stack with, and what it has to be allowed for each resource.

"CloudFormation uses the role's credentials to make calls on your behalf", and keeps it for later operations
on the stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html.
Without a role everything is allowed, as it is to the caller everywhere else.

The table says what the handler of a type calls; from ``handlers`` of the resource schemas, less what serves
properties that nothing here has:
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html. A type that is not
in it is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import stacks

from local_aws.emulator import permissions
from local_aws.emulator.api import Json

Call = tuple[str, str, Json]
CREATE, UPDATE, DELETE = "create", "update", "delete"


class AccessDeniedError(ValueError):
    """The role may not do what the handler of a resource does."""

    def __init__(self, role_arn: str, action: str, resource_arn: str) -> None:
        super().__init__(
            f"User: {role_arn} is not authorized to perform: {action} on resource: {resource_arn}"
        )


@dataclass(frozen=True)
class _Needs:
    """What the handler of a type calls, on a resource whose ARN is made from its physical name."""

    arn: str
    create: str
    update: str
    delete: str
    name: str  # the property with a name that was chosen

    def actions(self, operation: str) -> Iterator[str]:
        service = self.arn.split(":")[2]
        yield from (f"{service}:{action}" for action in str(getattr(self, operation)).split())


_A: Final = "arn:aws:"
_HERE: Final = "{region}:{account}:"
_NEEDS: Final[dict[str, _Needs]] = {
    "AWS::SageMaker::Pipeline": _Needs(
        f"{_A}sagemaker:{_HERE}pipeline/{{lower}}",
        "CreatePipeline DescribePipeline AddTags",
        "UpdatePipeline DescribePipeline ListTags AddTags DeleteTags",
        "DeletePipeline DescribePipeline",
        "PipelineName",
    ),
    "AWS::Scheduler::Schedule": _Needs(
        f"{_A}scheduler:{_HERE}schedule/{{group}}/{{name}}",
        "CreateSchedule GetSchedule",
        "UpdateSchedule GetSchedule",
        "DeleteSchedule GetSchedule",
        "Name",
    ),
    "AWS::Scheduler::ScheduleGroup": _Needs(
        f"{_A}scheduler:{_HERE}schedule-group/{{name}}",
        "CreateScheduleGroup GetScheduleGroup ListTagsForResource TagResource",
        "GetScheduleGroup ListTagsForResource TagResource UntagResource",
        "DeleteScheduleGroup GetScheduleGroup",
        "Name",
    ),
    "AWS::IAM::Role": _Needs(
        f"{_A}iam::{{account}}:role/{{name}}",
        "CreateRole GetRole TagRole PutRolePolicy",
        "UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy PutRolePolicy DeleteRolePolicy TagRole",
        "DeleteRole GetRole ListAttachedRolePolicies ListRolePolicies DeleteRolePolicy",
        "RoleName",
    ),
    "AWS::SQS::Queue": _Needs(
        f"{_A}sqs:{_HERE}{{name}}",
        "CreateQueue GetQueueAttributes GetQueueUrl ListQueueTags TagQueue",
        "GetQueueAttributes SetQueueAttributes ListQueueTags TagQueue UntagQueue",
        "DeleteQueue GetQueueAttributes",
        "QueueName",
    ),
    "AWS::Events::Rule": _Needs(
        f"{_A}events:{_HERE}rule/{{name}}",
        "PutRule PutTargets DescribeRule ListTargetsByRule",
        "PutRule PutTargets RemoveTargets DescribeRule ListTargetsByRule",
        "DeleteRule RemoveTargets DescribeRule ListTargetsByRule",
        "Name",
    ),
    "AWS::CloudWatch::Alarm": _Needs(
        f"{_A}cloudwatch:{_HERE}alarm:{{name}}",
        "PutMetricAlarm DescribeAlarms ListTagsForResource",
        "PutMetricAlarm DescribeAlarms ListTagsForResource",
        "DeleteAlarms DescribeAlarms",
        "AlarmName",
    ),
    "AWS::CloudWatch::Dashboard": _Needs(
        f"{_A}cloudwatch::{{account}}:dashboard/{{name}}",
        "PutDashboard GetDashboard",
        "PutDashboard GetDashboard",
        "DeleteDashboards GetDashboard",
        "DashboardName",
    ),
    "AWS::SNS::Topic": _Needs(
        f"{_A}sns:{_HERE}{{name}}",
        "CreateTopic GetTopicAttributes ListTagsForResource ListSubscriptionsByTopic",
        "GetTopicAttributes SetTopicAttributes ListSubscriptionsByTopic",
        "DeleteTopic GetTopicAttributes",
        "TopicName",
    ),
    "AWS::S3::Bucket": _Needs(
        f"{_A}s3:::{{name}}",
        "CreateBucket PutEncryptionConfiguration PutBucketVersioning PutBucketPublicAccessBlock "
        "PutLifecycleConfiguration PutBucketOwnershipControls PutBucketLogging PutBucketTagging",
        "PutEncryptionConfiguration PutBucketVersioning PutLifecycleConfiguration PutBucketTagging",
        "DeleteBucket",
        "BucketName",
    ),
    "AWS::S3::BucketPolicy": _Needs(
        f"{_A}s3:::{{name}}",
        "GetBucketPolicy PutBucketPolicy",
        "GetBucketPolicy PutBucketPolicy",
        "GetBucketPolicy DeleteBucketPolicy",
        "Bucket",
    ),
    "AWS::Lambda::Function": _Needs(
        f"{_A}lambda:{_HERE}function:{{name}}",
        "CreateFunction GetFunction",
        "UpdateFunctionCode UpdateFunctionConfiguration GetFunction",
        "DeleteFunction GetFunction",
        "FunctionName",
    ),
    "AWS::Logs::LogGroup": _Needs(
        f"{_A}logs:{_HERE}log-group:{{name}}",
        "CreateLogGroup DescribeLogGroups PutRetentionPolicy",
        "DescribeLogGroups PutRetentionPolicy",
        "DeleteLogGroup DescribeLogGroups",
        "LogGroupName",
    ),
}
_PASSES: Final[dict[str, tuple[str, Callable[[Json], Any]]]] = {
    "AWS::SageMaker::Pipeline": ("sagemaker.amazonaws.com", lambda found: found.get("RoleArn")),
    "AWS::Scheduler::Schedule": (permissions.SCHEDULER, lambda found: found["Target"]["RoleArn"]),
    "AWS::Lambda::Function": ("lambda.amazonaws.com", lambda found: found.get("Role")),
}
_KEY_ACTIONS: Final = ("kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")

_role: ContextVar[str | None] = ContextVar("deploying_role", default=None)
_by_stack: Final[dict[str, str]] = {}


def keep(stack_id: str, role_arn: str) -> None:
    """Remember the role of a stack, if one is given; what was given before holds on."""
    if role_arn:
        _by_stack[stack_id] = role_arn


def act(stack_id: str) -> None:
    """Let what this task does from now on be done with the role of the stack."""
    _role.set(_by_stack.get(stack_id))


def refusal(stack_id: str, template: Json, values: Json) -> str | None:
    """Why the parameters of a template cannot be resolved: they are read with the role, too."""
    role = _by_stack.get(stack_id)
    for name, parameter in template.get("Parameters", {}).items():
        if role and str(parameter.get("Type", "")).startswith("AWS::SSM::Parameter::Value"):
            path = str(values.get(name) or parameter.get("Default", ""))
            arn = f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter/{path.removeprefix('/')}"
            if not permissions.role_allows(role, "ssm:GetParameters", arn):
                return str(AccessDeniedError(role, "ssm:GetParameters", arn))
    return None


def check(operation: str, resource_type: str, name: str, properties: Json) -> None:
    """Refuse what the role may not do; without a role nothing is refused."""
    role = _role.get()
    for action, arn, context in _calls(operation, resource_type, name, properties) if role else ():
        assert role is not None
        if not permissions.role_allows(role, action, arn, context):
            raise AccessDeniedError(role, action, arn)


def _calls(operation: str, resource_type: str, name: str, properties: Json) -> Iterator[Call]:
    account, region = get_account_id(), get_region()
    needs = _NEEDS.get(resource_type)
    if needs is not None:
        bus, _, rule = name.rpartition("|")
        filled = {
            "name": f"{bus}/{rule}" if bus else rule,
            "lower": name.lower(),
            "group": properties.get("GroupName", "default"),
        }
        arn = needs.arn.format(account=account, region=region, **filled)
        yield from ((action, arn, {}) for action in needs.actions(operation))
    if resource_type.startswith("Custom::"):
        yield "lambda:InvokeFunction", properties["ServiceToken"], {}
    yield from _calls_on_roles(operation, resource_type, name, properties)
    yield from _calls_on_others(operation, resource_type, properties)


def _calls_on_roles(operation: str, resource_type: str, name: str, properties: Json) -> Iterator[Call]:
    if resource_type in _PASSES and operation != DELETE:
        service, role_of = _PASSES[resource_type]
        if passed := role_of(properties):
            yield "iam:PassRole", passed, {"iam:passedtoservice": service}
    for target in properties.get("Targets", []) if resource_type == "AWS::Events::Rule" else ():
        if "RoleArn" in target and operation != DELETE:
            yield "iam:PassRole", target["RoleArn"], {"iam:passedtoservice": permissions.EVENTS}
    prefix = f"arn:aws:iam::{get_account_id()}:role/"
    if resource_type == "AWS::IAM::Role":
        action = "iam:DetachRolePolicy" if operation == DELETE else "iam:AttachRolePolicy"
        for policy in properties.get("ManagedPolicyArns", []):
            yield action, prefix + name, {"iam:policyarn": policy}
    if resource_type == "AWS::IAM::Policy":
        action = "iam:DeleteRolePolicy" if operation == DELETE else "iam:PutRolePolicy"
        for role in properties.get("Roles", []):
            yield action, prefix + role, {}


def _calls_on_others(operation: str, resource_type: str, properties: Json) -> Iterator[Call]:
    if resource_type == "AWS::SNS::TopicPolicy":
        yield from (("sns:SetTopicAttributes", topic, {}) for topic in properties["Topics"])
    if resource_type == "AWS::SQS::QueuePolicy":
        for url in properties["Queues"]:
            name = url.rpartition("/")[2]
            arn = f"arn:aws:sqs:{get_region()}:{get_account_id()}:{name}"
            yield "sqs:SetQueueAttributes", arn, {}
    if operation == DELETE:
        return
    if resource_type == "AWS::Scheduler::Schedule" and "KmsKeyArn" in properties:
        # "Encryption at rest for EventBridge Scheduler": the caller has to be allowed to use the key.
        yield from ((action, properties["KmsKeyArn"], {}) for action in _KEY_ACTIONS)
    code = properties.get("Code", {}) if resource_type == "AWS::Lambda::Function" else {}
    location = properties.get("PipelineDefinition", {}).get("PipelineDefinitionS3Location", {})
    for bucket, key in (
        (code.get("S3Bucket"), code.get("S3Key")),
        (location.get("Bucket"), location.get("Key")),
    ):
        if bucket:
            yield "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {}


def _name(resource_type: str, logical_id: str, properties: Json, stack_name: str) -> str:
    """A physical name as CloudFormation would make it: what matters is that it begins with the stack's."""
    needs = _NEEDS.get(resource_type)
    given = properties.get(needs.name) if needs is not None else None
    made = f"{stack_name}-{logical_id}"
    return str(given or (made.lower() if resource_type == "AWS::S3::Bucket" else made))


def install() -> None:
    """Check each resource before its handler runs."""
    provision, update, delete = stacks._provision_resource, stacks._update_resource, stacks._delete_resource

    def provisioning(resource_type: str, logical_id: str, properties: Json, stack_name: str) -> Any:
        check(CREATE, resource_type, _name(resource_type, logical_id, properties, stack_name), properties)
        return provision(resource_type, logical_id, properties, stack_name)

    def updating(resource_type: str, physical_id: str, old: Json, new: Json, *rest: Any) -> Any:
        if old != new:
            check(UPDATE, resource_type, _identity(resource_type, physical_id, new), new)
        return update(resource_type, physical_id, old, new, *rest)

    def deleting(resource_type: str, physical_id: str, properties: Json, *rest: Any) -> Any:
        check(DELETE, resource_type, _identity(resource_type, physical_id, properties), properties)
        return delete(resource_type, physical_id, properties, *rest)

    stacks._provision_resource = provisioning
    stacks._update_resource = updating
    stacks._delete_resource = deleting


def _identity(resource_type: str, physical_id: str, properties: Json) -> str:
    """The name in the ARN of what is there: the last part of a URL or an ARN."""
    if resource_type == "AWS::S3::BucketPolicy":
        return str(properties["Bucket"])
    return physical_id.rpartition("/")[2].rpartition(":")[2]
