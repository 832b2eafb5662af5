"""``DeployerPolicy``: the least that CloudFormation needs to deploy and destroy scheduled pipelines.

It is several managed policies, as IAM's limit for one is too small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from scheduled_pipeline.definition.permission import arn, filled
from scheduled_pipeline.resources.role_policy import MAX_MANAGED_CHARACTERS, least_size

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_KEY = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
_PASSED_TO = [
    *("scheduler.amazonaws.com", "events.amazonaws.com", "sagemaker.amazonaws.com"),
    "lambda.amazonaws.com",
]

# The actions are those that the handlers of the resource types ask for, as far as our resources use them:
# https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html, "handlers".
_SCHEDULES = ["CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"]
_GROUPS = ["CreateScheduleGroup", "DeleteScheduleGroup", "GetScheduleGroup"]
_TAGS = ["ListTagsForResource", "TagResource", "UntagResource"]
_PIPELINES = ["CreatePipeline", "DeletePipeline", "DescribePipeline", "UpdatePipeline"]
_SAGEMAKER_TAGS = ["AddTags", "DeleteTags", "ListTags"]
_ROLES = [
    *("CreateRole", "DeleteRole", "GetRole", "TagRole", "UntagRole"),
    *("UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"),
    *("DeleteRolePolicy", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "PutRolePolicy"),
]
_QUEUES = [
    *("CreateQueue", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "SetQueueAttributes"),
    *("ListQueueTags", "TagQueue", "UntagQueue"),
]
_RULES = [
    *("DeleteRule", "DescribeRule", "PutRule"),
    *("ListTargetsByRule", "PutTargets", "RemoveTargets"),
]
_ALARMS = ["DeleteAlarms", "DescribeAlarms", "PutMetricAlarm"]
_DASHBOARDS = ["DeleteDashboards", "GetDashboard", "PutDashboard"]
_TOPICS = [
    *("CreateTopic", "DeleteTopic", "GetTopicAttributes", "SetTopicAttributes"),
    *("ListSubscriptionsByTopic", "Subscribe", "Unsubscribe"),
    *("GetDataProtectionPolicy", "PutDataProtectionPolicy"),
]
# Functions are those of custom resources, which CloudFormation invokes with the role that it deploys with:
# that of sweep_strays, that which writes large definitions, and the CDK's that empties buckets.
_FUNCTIONS = [
    *("CreateFunction", "DeleteFunction", "GetFunction", "InvokeFunction"),
    *("UpdateFunctionCode", "UpdateFunctionConfiguration", "TagResource", "UntagResource"),
    *("GetFunctionCodeSigningConfig", "GetFunctionRecursionConfig", "GetFunctionScalingConfig"),
    "GetRuntimeManagementConfig",
]
_LOG_GROUPS = [
    *("CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy"),
    *("GetDataProtectionPolicy", "DeleteDataProtectionPolicy"),
    *("ListTagsForResource", "TagResource", "UntagResource"),
]
_LOG_LISTS = ["DescribeIndexPolicies", "DescribeLogGroups", "DescribeResourcePolicies"]
_BUCKETS = [
    *("CreateBucket", "DeleteBucket", "ListBucket", "GetBucketAcl", "GetBucketAbac", "GetBucketCORS"),
    *("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    *("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    *("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    *("GetBucketVersioning", "PutBucketVersioning", "GetBucketLogging", "PutBucketLogging"),
    *("GetLifecycleConfiguration", "PutLifecycleConfiguration"),
    *("GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    *("GetBucketNotification", "PutBucketNotification", "GetBucketTagging", "PutBucketTagging"),
    *("ListTagsForResource", "TagResource", "UntagResource"),
    *("GetAccelerateConfiguration", "GetAnalyticsConfiguration", "GetBucketObjectLockConfiguration"),
    *("GetBucketWebsite", "GetIntelligentTieringConfiguration", "GetInventoryConfiguration"),
    *("GetMetricsConfiguration", "GetReplicationConfiguration", "GetBucketMetadataTableConfiguration"),
]


class DeployerPolicy(Construct):
    """What the role that CloudFormation deploys with needs for stacks of this package, and no more.

    Give its policies to ``cdk bootstrap --cloudformation-execution-policies`` in the place of
    AdministratorAccess: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html. They reach what is
    named after the stacks, and hand roles to EventBridge Scheduler, EventBridge, SageMaker and Lambda alone.
    ``docs/deployer-policy.md`` has them as JSON.

    Args:
        scope: where it belongs; a stack of its own, which an administrator deploys.
        construct_id: its id there.
        prefixes: what the names of the stacks begin with, such as ``Dev``. Pipelines, schedules, roles,
            queues and rules are named after their stack; a physical name that you choose has to begin so too.
        encryption_keys: the ARNs of the keys that are given to pipelines as ``encryption_key``: who makes a
            schedule with a key has to be allowed to use it. Default: none.
        managed_policy_name: what the physical names of the policies begin with. Default: CloudFormation
            makes the names.

    Attributes:
        policies: the managed policies; a role needs all of them.

    Raises:
        ValueError: no prefix, one that is not letters, digits and hyphens, what is not the ARN of a key, or
            so many that IAM would refuse a policy for its size.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefixes: Sequence[str],
        encryption_keys: Sequence[str] = (),
        managed_policy_name: str | None = None,
    ) -> None:
        if isinstance(prefixes, str) or not prefixes or not all(map(_PREFIX.fullmatch, prefixes)):
            raise ValueError(
                f"{scope.node.path}/{construct_id}: prefixes must be a list of letters, digits and hyphens, "
                f"such as ['Dev'], got {prefixes!r}"
            )
        if isinstance(encryption_keys, str) or not all(map(_is_key, encryption_keys)):
            raise ValueError(
                f"{scope.node.path}/{construct_id}: encryption_keys must be a list of ARNs of keys, such as "
                f"['arn:aws:kms:eu-west-1:111122223333:key/...'], got {encryption_keys!r}"
            )
        super().__init__(scope, construct_id)
        parts = _parts(Stack.of(self), prefixes, encryption_keys)
        self.policies = tuple(
            self._policy(part, statements, managed_policy_name, len(prefixes))
            for part, statements in parts.items()
        )

    def _policy(
        self, part: str, statements: Sequence[iam.PolicyStatement], name: str | None, prefixes: int
    ) -> iam.ManagedPolicy:
        size = least_size(statement.to_json() for statement in statements)
        if size > MAX_MANAGED_CHARACTERS:
            raise ValueError(
                f"{self.node.path}/{part}: the policy has at least {size:,} characters, and "
                f"IAM allows {MAX_MANAGED_CHARACTERS:,}; give fewer prefixes, and the "
                f"others to another DeployerPolicy, got {prefixes}"
            )
        return iam.ManagedPolicy(
            self,
            part,
            managed_policy_name=None if name is None else f"{name}{part}",
            description=f"What CloudFormation needs to deploy scheduled SageMaker pipelines: {part}",
            statements=list(statements),
        )


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and (Token.is_unresolved(value) or _KEY.fullmatch(value) is not None)


def _parts(
    stack: Stack, prefixes: Sequence[str], keys: Sequence[str]
) -> Mapping[str, list[iam.PolicyStatement]]:
    """Return the statements of each policy; what its name says is stable, as it is a logical id."""

    def named(sid: str, service: str, actions: Sequence[str], *names: str) -> iam.PolicyStatement:
        filled_in = [name.format(prefix, lower=prefix.lower()) for prefix in prefixes for name in names]
        region = "" if sid == "Dashboards" else "${Region}"
        return _allow(stack, sid, service, actions, filled_in, region=region)

    return {
        "Pipelines": [
            named("Schedules", "scheduler", _SCHEDULES, "schedule/*/{}*", "schedule/{}*/*"),
            named("ScheduleGroups", "scheduler", [*_GROUPS, *_TAGS], "schedule-group/{}*"),
            named(
                "Pipelines", "sagemaker", [*_PIPELINES, *_SAGEMAKER_TAGS], "pipeline/{}*", "pipeline/{lower}*"
            ),
            named("Queues", "sqs", _QUEUES, "{}*"),
            named("Rules", "events", [*_RULES, *_TAGS], "rule/{}*", "rule/*/{}*"),
            *_roles(stack, named("Roles", "iam", _ROLES, "role/{}*")),
            *_keys(keys),
        ],
        "Watching": [
            named("Alarms", "cloudwatch", [*_ALARMS, *_TAGS], "alarm:{}*"),
            named("Topics", "sns", [*_TOPICS, *_TAGS], "{}*"),
            named("Dashboards", "cloudwatch", [*_DASHBOARDS, *_TAGS], "dashboard/{}*"),
            named("Functions", "lambda", _FUNCTIONS, "function:{}*"),
            named("LogGroups", "logs", _LOG_GROUPS, "log-group:{}*"),
            # They list, and know no single group.
            _allow(stack, "LogLists", "logs", _LOG_LISTS, ["log-group:*"]),
        ],
        "Data": [
            named("Buckets", "s3", _BUCKETS, "{lower}*"),
            # Definitions that a function of the stack writes.
            named("Definitions", "s3", ["GetObject"], "{lower}*/definitions/*"),
            # Definitions that are too large for a template, nested templates, and the code of functions.
            _allow(stack, "Assets", "s3", ["GetObject"], ["cdk-*-assets-${Account}-${Region}/*"]),
            # CloudFormation resolves the template's parameter BootstrapVersion with the role it deploys with.
            _allow(
                stack, "BootstrapVersion", "ssm", ["GetParameters"], ["parameter/cdk-bootstrap/*/version"]
            ),
        ],
    }


def _roles(stack: Stack, roles: iam.PolicyStatement) -> Iterator[iam.PolicyStatement]:
    yield roles
    passing = iam.PolicyStatement(sid="PassRoles", actions=["iam:PassRole"], resources=roles.resources)
    passing.add_condition("StringEquals", {"iam:PassedToService": _PASSED_TO})
    yield passing
    # The CDK attaches it to the role of the function that empties buckets.
    basic = f"arn:{stack.partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    attaching = iam.PolicyStatement(
        sid="FunctionRoles",
        actions=["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        resources=roles.resources,
    )
    attaching.add_condition("ArnEquals", {"iam:PolicyARN": basic})
    yield attaching


def _keys(keys: Sequence[str]) -> Iterator[iam.PolicyStatement]:
    """EventBridge Scheduler checks that who makes a schedule may use its key.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
    """
    if keys:
        actions = [f"kms:{action}" for action in ("Decrypt", "DescribeKey", "GenerateDataKey")]
        yield iam.PolicyStatement(sid="Keys", actions=actions, resources=list(keys))


def _allow(
    stack: Stack,
    sid: str,
    service: str,
    actions: Sequence[str],
    names: Sequence[str],
    *,
    region: str = "${Region}",
) -> iam.PolicyStatement:
    values = {"Partition": stack.partition, "Region": stack.region, "Account": stack.account}
    region = "" if service in ("iam", "s3") else region
    account = "" if service == "s3" else "${Account}"
    resources = [filled(arn(service, name, region=region, account=account), values) for name in names]
    actions = [f"{service}:{action}" for action in sorted(actions)]
    return iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
