"""``DeployerPolicy``: the least that CloudFormation needs to deploy and destroy scheduled pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from scheduled_pipeline.definition.permission import arn, filled
from scheduled_pipeline.resources.role_policy import MAX_MANAGED_CHARACTERS, least_size

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_PASSED_TO = ["scheduler.amazonaws.com", "events.amazonaws.com", "sagemaker.amazonaws.com"]

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


class DeployerPolicy(iam.ManagedPolicy):
    """What the role that CloudFormation deploys with needs for stacks of this package, and no more.

    Give it to ``cdk bootstrap --cloudformation-execution-policies`` in the place of AdministratorAccess:
    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html. It reaches what is named after the
    stacks, and hands roles to EventBridge Scheduler, EventBridge and SageMaker alone.
    ``docs/deployer-policy.md`` has it as JSON.

    Args:
        scope: where it belongs; a stack of its own, which an administrator deploys.
        construct_id: its id there.
        prefixes: what the names of the stacks begin with, such as ``Dev``. Pipelines, schedules, roles,
            queues and rules are named after their stack; a physical name that you choose has to begin so too.
        managed_policy_name: physical name. Default: CloudFormation makes one.

    Raises:
        ValueError: no prefix, one that is not letters, digits and hyphens, or so many that IAM would
            refuse the policy for its size.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefixes: Sequence[str],
        managed_policy_name: str | None = None,
    ) -> None:
        if isinstance(prefixes, str) or not prefixes or not all(map(_PREFIX.fullmatch, prefixes)):
            raise ValueError(
                f"{scope.node.path}/{construct_id}: prefixes must be a list of letters, digits and hyphens, "
                f"such as ['Dev'], got {prefixes!r}"
            )
        statements = list(_statements(Stack.of(scope), prefixes))
        size = least_size(statement.to_json() for statement in statements)
        if size > MAX_MANAGED_CHARACTERS:
            raise ValueError(
                f"{scope.node.path}/{construct_id}: the policy has at least {size:,} characters, and "
                f"IAM allows {MAX_MANAGED_CHARACTERS:,}; give fewer prefixes, and the "
                f"others to another DeployerPolicy, got {len(prefixes)}"
            )
        super().__init__(
            scope,
            construct_id,
            managed_policy_name=managed_policy_name,
            description="What CloudFormation needs to deploy scheduled SageMaker pipelines",
            statements=statements,
        )


def _statements(stack: Stack, prefixes: Sequence[str]) -> Iterator[iam.PolicyStatement]:
    for sid, service, actions, names in (
        ("Schedules", "scheduler", _SCHEDULES, ["schedule/*/{}*", "schedule/{}*/*"]),
        ("ScheduleGroups", "scheduler", [*_GROUPS, *_TAGS], ["schedule-group/{}*"]),
        ("Pipelines", "sagemaker", [*_PIPELINES, *_SAGEMAKER_TAGS], ["pipeline/{}*", "pipeline/{lower}*"]),
        ("Roles", "iam", _ROLES, ["role/{}*"]),
        ("Queues", "sqs", _QUEUES, ["{}*"]),
        ("Rules", "events", [*_RULES, *_TAGS], ["rule/{}*", "rule/*/{}*"]),
        ("Alarms", "cloudwatch", [*_ALARMS, *_TAGS], ["alarm:{}*"]),
        ("Topics", "sns", [*_TOPICS, *_TAGS], ["{}*"]),
        ("Buckets", "s3", _BUCKETS, ["{lower}*"]),
    ):
        named = [name.format(prefix, lower=prefix.lower()) for prefix in prefixes for name in names]
        yield _allow(stack, sid, service, actions, named)
    passing = _allow(stack, "PassRoles", "iam", ["PassRole"], [f"role/{prefix}*" for prefix in prefixes])
    passing.add_condition("StringEquals", {"iam:PassedToService": _PASSED_TO})
    yield passing
    dashboards = [f"dashboard/{prefix}*" for prefix in prefixes]
    yield _allow(stack, "Dashboards", "cloudwatch", [*_DASHBOARDS, *_TAGS], dashboards, region="")
    # Definitions that are too large for a template, and nested templates.
    assets = "cdk-*-assets-${Account}-${Region}/*"
    yield _allow(stack, "Assets", "s3", ["GetObject"], [assets])


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
