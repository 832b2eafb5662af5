"""The types of steps that check data or a model with a processing job.

That they may be retried is in AWS's JSON schema of the definition.
"""

from __future__ import annotations

from collections.abc import Iterator

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, sagemaker, sagemaker_actions
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.jobs import PROCESSING, PROCESSING_JOB, PROCESSING_LOGS
from scheduled_pipeline.definition.step_types.models import baseline
from scheduled_pipeline.definition.step_types.shape_notation import enum, structure
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

_MEMBERS = {
    "ModelPackageGroupName": "String",
    "SkipCheck": "Boolean",
    "FailOnViolation": "Boolean",
    "RegisterNewBaseline": "Boolean",
    "SuppliedBaselineConstraints": "String",
}

QUALITY_CHECK = StepType(
    name="QualityCheck",
    arguments=PROCESSING.arguments,
    properties=("QualityCheckProperties",),
    shapes={
        "QualityCheckType": enum("DATA_QUALITY", "MODEL_QUALITY"),
        "QualityCheckProperties": structure(
            {
                "CalculatedBaselineConstraints": "String",
                "CalculatedBaselineStatistics": "String",
                "BaselineUsedForDriftCheckStatistics": "String",
                "BaselineUsedForDriftCheckConstraints": "String",
            }
        ),
    },
    members={**_MEMBERS, "CheckType": "QualityCheckType", "SuppliedBaselineStatistics": "String"},
    required=("Arguments", "CheckType"),
    cached=True,
    retried=True,
    permissions=Permissions(created=PROCESSING_JOB, needs=(baseline,)),
    log_groups=(PROCESSING_LOGS,),
    checks=True,
)

# A check of a model asks an endpoint that it makes for that time:
# https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-run.html. AWS's pages do not give
# the names; public policies for Clarify have `sm-clarify-*`. `endpoint_name_prefix` in the SDK's ModelConfig
# makes others; that is in a file, which nobody sees here.
_SHADOW_ENDPOINTS = ("sm-clarify-*", "pipelines-*")


def _shadow_endpoint(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    if step.body.get("ModelName") is None:
        return
    verbs = [f"{verb}Endpoint{kind}" for verb in ("Create", "Describe", "Delete") for kind in ("", "Config")]
    resources = [
        one for kind in ("endpoint", "endpoint-config") for one in sagemaker(kind, _SHADOW_ENDPOINTS)
    ]
    reason = "the check asks the model, behind an endpoint that it makes and deletes"
    actions = sagemaker_actions(*verbs, "InvokeEndpoint", "AddTags")
    yield allow(actions, resources, reason, step=step.name)
    model = resolver.literal(step.body["ModelName"]) or "pipelines-*"
    yield allow(sagemaker_actions("DescribeModel"), sagemaker("model", [model]), reason, step=step.name)


CLARIFY_CHECK = StepType(
    name="ClarifyCheck",
    arguments=PROCESSING.arguments,
    properties=("ClarifyCheckProperties",),
    shapes={
        "ClarifyCheckType": enum("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"),
        "ClarifyCheckProperties": structure(
            {"CalculatedBaselineConstraints": "String", "BaselineUsedForDriftCheckConstraints": "String"}
        ),
    },
    members={**_MEMBERS, "CheckType": "ClarifyCheckType", "ModelName": "String"},
    required=("Arguments", "CheckType"),
    cached=True,
    retried=True,
    permissions=Permissions(created=PROCESSING_JOB, needs=(baseline, _shadow_endpoint)),
    log_groups=(PROCESSING_LOGS,),
    checks=True,
)
