"""The types of steps that run on Amazon EMR, and what they need.

The actions, and the rules of EventBridge by which the service hears of a step's end, are those of the managed
policy ``AmazonSageMakerPipelinesIntegrations``:
https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol-pipelines.html. The rule for a cluster
has another name in https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html ("EMR
step"), so both are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import EVERYTHING, Permission, allow, arn, pass_role
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.shape_notation import like, structure
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

_STEP_ACTIONS = ("AddJobFlowSteps", "CancelSteps", "DescribeCluster", "DescribeStep", "ListSteps")
_RULE = "SageMakerPipelineExecutionEMR"
_REASON = "the step runs on the cluster"
_HEARS = "the service hears through the rule that the work has ended"


def _cluster(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    arguments = step.arguments
    cluster = arn("elasticmapreduce", f"cluster/{resolver.literal(arguments.get('ClusterId')) or '*'}")
    yield allow([f"elasticmapreduce:{one}" for one in _STEP_ACTIONS], cluster, _REASON, step=step.name)
    rules = [f"{_RULE}StepStatusUpdateRule"]
    config = arguments.get("ClusterConfig")
    if isinstance(config, Mapping):
        reason = "the step makes a cluster, whose id only a run knows, and ends it"
        yield allow("elasticmapreduce:RunJobFlow", EVERYTHING, reason, step=step.name)
        actions = ("elasticmapreduce:TerminateJobFlows", "elasticmapreduce:AddTags")
        yield allow(actions, cluster, reason, step=step.name)
        rules += [f"{_RULE}ClusterStatusUpdateRule", f"{_RULE}ClusterStatusRule"]
        for member, service in (("ServiceRole", "elasticmapreduce"), ("JobFlowRole", "ec2")):
            yield from _role(step, config.get(member), f"{service}.amazonaws.com", resolver)
    yield from _role(step, arguments.get("ExecutionRoleArn"), "elasticmapreduce.amazonaws.com", resolver)
    yield _rules(step, rules)


def _serverless(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    application = resolver.literal(step.arguments.get("ApplicationId")) or "*"
    place = arn("emr-serverless", f"/applications/{application}")
    runs = f"{place}/jobruns/*"
    reason = "the step runs in the application"
    job = step.arguments.get("JobConfig")
    yield allow(
        ["emr-serverless:StartJobRun", "emr-serverless:GetApplication"], place, reason, step=step.name
    )
    yield allow(["emr-serverless:GetJobRun", "emr-serverless:CancelJobRun"], runs, reason, step=step.name)
    if isinstance(job, Mapping) and job.get("tags"):
        yield allow("emr-serverless:TagResource", runs, reason, step=step.name)
    if isinstance(step.arguments.get("ApplicationConfig"), Mapping):
        reason = "the step makes an application, whose id only a run knows, and deletes it"
        yield allow("emr-serverless:CreateApplication", EVERYTHING, reason, step=step.name)
        verbs = ("StartApplication", "StopApplication", "DeleteApplication", "TagResource")
        yield allow([f"emr-serverless:{verb}" for verb in verbs], place, reason, step=step.name)
    role = step.arguments.get("ExecutionRoleArn")
    yield from _role(step, role, "emr-serverless.amazonaws.com", resolver)
    # Neither page names the rule of EMR Serverless. That its name begins like those of EMR is a guess.
    yield _rules(step, [f"{_RULE}Serverless*"])


def _rules(step: PlacedStep, names: list[str]) -> Permission:
    actions = ("events:DescribeRule", "events:PutRule", "events:PutTargets")
    return allow(actions, [arn("events", f"rule/{name}") for name in names], _HEARS, step=step.name)


def _role(step: PlacedStep, value: Any, service: str, resolver: Resolver) -> Iterator[Permission]:
    """Yield the permission to hand a role, named or by its ARN, to EMR or its instances."""
    name = resolver.literal(value)
    if name is not None:
        role = name if name.startswith("arn:") else arn("iam", f"role/{name}", region="")
        yield pass_role(role, service, "the step's work runs with this role", step.name)


EMR = StepType(
    name="EMR",
    arguments="EmrArguments",
    properties=("emr:Step", "EmrProperties"),
    shapes={
        "EmrArguments": structure(
            {
                "StepConfig": "EmrStepConfig",
                "ClusterId": "String",
                "ClusterConfig": "EmrClusterConfig",
                "ExecutionRoleArn": "String",
            },
            ["StepConfig"],
            one_of=[["ClusterId", "ClusterConfig"]],
        ),
        "EmrStepConfig": like("emr:StepConfig", filled_in=["Name"]),
        # EMRStep._validate_cluster_config of the SDK.
        "EmrClusterConfig": like(
            "emr:RunJobFlowInput",
            without=["Name", "Steps", "AutoTerminationPolicy"],
            members={"Instances": "pipeline:EmrInstances"},
        ),
        "EmrInstances": like(
            "emr:JobFlowInstancesConfig",
            without=["KeepJobFlowAliveWhenNoSteps", "TerminationProtected"],
            one_of=[["InstanceGroups", "InstanceFleets"]],
        ),
        "EmrProperties": structure(
            {"ClusterId": "String", "ExecutionRoleArn": "String", "ClusterConfig": "Anything"}
        ),
    },
    cached=True,
    permissions=Permissions(then=(_cluster,)),
    uses_places=False,
    passes_roles=False,
)

EMR_SERVERLESS = StepType(
    name="EMRServerless",
    arguments="EmrServerlessArguments",
    properties=("emr-serverless:GetJobRunResponse",),
    shapes={
        "EmrServerlessArguments": structure(
            {
                "ExecutionRoleArn": "String",
                "JobConfig": "EmrServerlessJob",
                "ApplicationId": "String",
                "ApplicationConfig": "EmrServerlessApplication",
            },
            ["ExecutionRoleArn", "JobConfig"],
            one_of=[["ApplicationId", "ApplicationConfig"]],
        ),
        "EmrServerlessJob": like(
            "emr-serverless:StartJobRunRequest", filled_in=["applicationId", "clientToken"]
        ),
        "EmrServerlessApplication": like(
            "emr-serverless:CreateApplicationRequest", filled_in=["clientToken"]
        ),
    },
    cached=True,
    retried=True,
    permissions=Permissions(then=(_serverless,)),
    passes_roles=False,
)
