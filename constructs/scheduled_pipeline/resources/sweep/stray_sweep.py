"""Removes, when a pipeline is deleted, the triggers of it that no stack owns."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Acknowledgment, CustomResource, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from scheduled_pipeline.resources.express_mode import tell_of_express_mode
from scheduled_pipeline.resources.jsii_cache import Place, is_token, place_of
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.role_policy import Statement, allow, attach_policy

_HANDLER = Path(__file__).parent / "handler"
_TIMEOUT_SECONDS = 120
# The longest that the deletion of a stack waits for a sweep that does not answer.
_SERVICE_TIMEOUT = Duration.minutes(5)
_LIST_ACTIONS = (
    "cloudformation:DescribeStackResources",
    "events:ListEventBuses",
    "events:ListRuleNamesByTarget",
    "scheduler:ListSchedules",
)
_ANY_SCHEDULE = ("scheduler", "schedule/*/*")
_ANY_RULE = ("events", "rule/*")
_WHY_ANYWHERE = "a stray may be in any group and on any bus, and these lists know no resource"


class StraySweep(Construct):
    """Removes strays when the pipeline goes: schedules in any group, and targets of rules on any bus.

    It runs after the stack's own triggers are gone and before the pipeline is deleted, so that nothing
    fires at a pipeline that is missing. What a stack owns is left to it, and named in the log. A sweep that
    fails does not keep the stack from being deleted.

    Args:
        scope: where it belongs.
        construct_id: its id there.
        pipeline: whose triggers are swept.
    """

    def __init__(self, scope: Construct, construct_id: str, *, pipeline: Pipeline) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Assumed by the function that removes strays of a deleted SageMaker pipeline",
        )
        policy = attach_policy(self, "Policy", role, self._statements(log_group))
        _acknowledge_wildcards(policy, place_of(self))
        function = self._make_function(role, log_group)
        function.node.add_dependency(policy)
        tell_of_express_mode(self, "strays would stay when the pipeline goes")
        # The name is a reference, so the pipeline is deleted after the sweep.
        CustomResource(
            self,
            "Resource",
            resource_type="Custom::StraySweep",
            service_token=function.attr_arn,
            service_timeout=_SERVICE_TIMEOUT,
            properties={"PipelineName": pipeline.pipeline_name, "PipelineArns": pipeline.start_arns},
        )

    def _make_function(self, role: iam.Role, log_group: logs.LogGroup) -> lambda_.CfnFunction:
        """Make the function, with the L1 resource: the L2 also declares the dependency on the role."""
        code = s3_assets.Asset(self, "Code", path=str(_HANDLER), exclude=["__pycache__"])
        function = lambda_.CfnFunction(
            self,
            "Function",
            description="Removes what still starts a SageMaker pipeline when it is deleted",
            code={"s3Bucket": code.s3_bucket_name, "s3Key": code.s3_object_key},
            handler="index.handler",
            runtime="python3.14",
            memory_size=256,
            timeout=_TIMEOUT_SECONDS,
            role=role.role_arn,
            logging_config={"logGroup": log_group.log_group_name},
        )
        code.add_resource_metadata(function, "Code")
        return function

    def _statements(self, log_group: logs.LogGroup) -> list[Statement]:
        """Return what the function may do; it cannot make a log group, so none comes back at the end."""
        place = place_of(self)
        own_stack = ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"]
        return [
            allow(_LIST_ACTIONS, ["*"]),
            allow(["scheduler:DeleteSchedule", "scheduler:GetSchedule"], [place.arn(*_ANY_SCHEDULE)]),
            allow(["events:ListTargetsByRule", "events:RemoveTargets"], [place.arn(*_ANY_RULE)]),
            allow(own_stack, [place.stack.stack_id]),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn]),
        ]


def _acknowledge_wildcards(policy: iam.Policy, place: Place) -> None:
    """Give cdk-nag the reason for each wildcard, under the name that it has for the resource."""
    names = {place.partition: "Partition", place.region: "Region", place.account: "AccountId"}
    for resource in ("*", place.arn(*_ANY_SCHEDULE), place.arn(*_ANY_RULE)):
        shown = resource
        for value, name in names.items():
            shown = shown.replace(value, f"<AWS::{name}>") if is_token(value) else shown
        acknowledgment = Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{shown}]", reason=_WHY_ANYWHERE)
        Validations.of(policy).acknowledge(acknowledgment)
