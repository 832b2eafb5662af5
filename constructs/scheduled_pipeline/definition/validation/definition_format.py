"""The format of a pipeline definition, written like an API's shapes in botocore.

The sources are AWS's JSON schema of the definition (April 2025,
https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/), which is
older than what the service takes, and the step classes of the SageMaker Python SDK 3.27, which are not.
The arguments of a step are the request of its API: that is what the service checks them against.

Types that botocore does not have: ``any`` is not looked at, ``scalar`` is a string, a number or a boolean,
``tagged`` is a structure whose member ``tag`` chooses the shape, ``either`` is a string or a structure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduled_pipeline.definition.step_types.shape_notation import Shape, enum, list_of, structure
from scheduled_pipeline.definition.validation import step_arguments, step_properties

SERVICE = "pipeline"
VERSION = "2020-12-01"

# AWS's JSON schema of the definition: StringParameter.DefaultValue, ParameterDescription.
MAX_DEFAULT = 4096
# StepName, StepDisplayName, StepDescription and PipelineParameterName in botocore's SageMaker model.
_NAME = r"[A-Za-z0-9\-_]*"
_MAX_STEP_NAME, _MAX_DISPLAY_NAME, _MAX_DESCRIPTION, _MAX_PARAMETER_NAME = 64, 256, 3072, 256
# EventBridge and StartPipelineExecution take at most 200 parameters.
_MAX_PARAMETERS = 200
# https://github.com/aws/sagemaker-python-sdk/issues/2314
_MAX_ENUM_VALUES = 16
# https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
_MAX_INTERVAL_SECONDS, _MAX_ATTEMPTS, _MAX_EXPIRE_AFTER_MINUTES = 43_200, 20, 14_400


def _step(
    arguments: str,
    members: Mapping[str, str] | None = None,
    required: Sequence[str] = ("Arguments",),
    *,
    cached: bool = False,
    retried: bool = False,
) -> Shape:
    common = {
        "Name": "StepName",
        "Type": "String",
        "Arguments": arguments,
        "DependsOn": "Dependencies",
        "DisplayName": "DisplayName",
        "Description": "Description",
        **({"CacheConfig": "CacheConfig"} if cached else {}),
        **({"RetryPolicies": "RetryPolicies"} if retried else {}),
    }
    return structure({**common, **(members or {})}, ("Name", "Type", *required))


_CHECK_MEMBERS = {
    "ModelPackageGroupName": "String",
    "SkipCheck": "Boolean",
    "FailOnViolation": "Boolean",
    "RegisterNewBaseline": "Boolean",
    "SuppliedBaselineConstraints": "String",
}

# Retry policies: the steps of pipelines-retry-policy.html, the check steps of the JSON schema, and
# the ConfigurableRetryStep classes of the SDK. Caching: the steps of pipelines-caching.html and of the SDK.
STEPS: Mapping[str, Shape] = {
    "Processing": _step("ProcessingArguments", {"PropertyFiles": "PropertyFiles"}, cached=True, retried=True),
    "Training": _step("TrainingArguments", cached=True, retried=True),
    "Tuning": _step("TuningArguments", cached=True, retried=True),
    "Transform": _step("TransformArguments", cached=True, retried=True),
    "AutoML": _step("AutoMLArguments", cached=True, retried=True),
    "Model": _step("ModelArguments", retried=True),
    "RegisterModel": _step("RegisterModelArguments", retried=True),
    "Condition": _step("ConditionArguments"),
    "ForEach": _step("ForEachArguments"),
    "Fail": _step("FailArguments"),
    "Lambda": _step(
        "Anything",
        {"FunctionArn": "FunctionArn", "OutputParameters": "OutputParameters"},
        ("FunctionArn",),
        cached=True,
    ),
    "Callback": _step(
        "Anything",
        {"SqsQueueUrl": "QueueUrl", "OutputParameters": "OutputParameters"},
        ("SqsQueueUrl",),
        cached=True,
    ),
    "QualityCheck": _step(
        "ProcessingArguments",
        {**_CHECK_MEMBERS, "CheckType": "QualityCheckType", "SuppliedBaselineStatistics": "String"},
        ("Arguments", "CheckType"),
        cached=True,
        retried=True,
    ),
    "ClarifyCheck": _step(
        "ProcessingArguments",
        {**_CHECK_MEMBERS, "CheckType": "ClarifyCheckType", "ModelName": "String"},
        ("Arguments", "CheckType"),
        cached=True,
        retried=True,
    ),
    "EMR": _step("EmrArguments", cached=True),
    "EMRServerless": _step("EmrServerlessArguments", cached=True, retried=True),
    "EndpointConfig": _step("EndpointConfigArguments", cached=True, retried=True),
    "Endpoint": _step("EndpointArguments", cached=True),
    "InferenceComponent": _step("InferenceComponentArguments"),
    "Lineage": _step("LineageArguments"),
    "Job": _step("JobArguments", cached=True, retried=True),
    "Cleanup": _step("CleanupArguments"),
    # Named in PipelineExecutionStepMetadata and in the documentation; no source tells their arguments.
    "Athena": _step("Anything", cached=True, retried=True),
    "BedrockCustomModel": _step("Anything", cached=True, retried=True),
    "BedrockCustomModelDeployment": _step("Anything", cached=True, retried=True),
    "BedrockProvisionedModelThroughput": _step("Anything", cached=True, retried=True),
    "BedrockModelImport": _step("Anything", cached=True, retried=True),
}

# https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html: "Pipelines doesn't
# support the use of nested condition steps"; _DISALLOWED_BODY_STEP_TYPES of the SDK's ForEachStep.
NOT_INSIDE: Mapping[str, Sequence[str]] = {
    "Condition": ["Condition"],
    "ForEach": ["Condition", "Fail", "ForEach"],
}

_DOCUMENT: Mapping[str, Shape] = {
    "Definition": structure(
        {
            "Version": "Version",
            "Metadata": "Anything",
            "Parameters": "Parameters",
            "PipelineExperimentConfig": "ExperimentConfig",
            "MlflowConfig": "MlflowConfig",
            "Steps": "Steps",
        },
        ["Version", "Steps"],
    ),
    "Version": enum(VERSION),
    "Parameters": list_of("Parameter", max=_MAX_PARAMETERS),
    "Parameter": structure(
        {
            "Name": "ParameterName",
            "Type": "ParameterType",
            "DefaultValue": "ScalarOrNothing",
            "EnumValues": "EnumValues",
            "Description": "ParameterDescription",
        },
        ["Name", "Type"],
    ),
    "ParameterName": {"type": "string", "min": 1, "max": _MAX_PARAMETER_NAME, "pattern": _NAME},
    "ParameterType": enum("String", "Integer", "Float", "Boolean"),
    "ParameterDescription": {"type": "string", "max": MAX_DEFAULT},
    "EnumValues": list_of("ScalarOrNothing", max=_MAX_ENUM_VALUES),
    "ExperimentConfig": structure({"ExperimentName": "String", "TrialName": "String"}),
    "MlflowConfig": structure({"MlflowResourceArn": "String", "MlflowExperimentName": "String"}),
    "Steps": list_of("AnyStep", min=1),
    "BranchSteps": list_of("AnyStep"),
    "AnyStep": {"type": "tagged", "tag": "Type", "shapes": {name: f"{name}Step" for name in STEPS}},
}

_COMMON: Mapping[str, Shape] = {
    "String": {"type": "string"},
    "Integer": {"type": "integer"},
    "Float": {"type": "float"},
    "Boolean": {"type": "boolean"},
    "Anything": {"type": "any"},
    "ScalarOrNothing": {"type": "scalar"},
    "Scalars": list_of("ScalarOrNothing"),
    "StepName": {"type": "string", "min": 1, "max": _MAX_STEP_NAME, "pattern": _NAME},
    "DisplayName": {"type": "string", "max": _MAX_DISPLAY_NAME},
    "Description": {"type": "string", "max": _MAX_DESCRIPTION},
    "Dependencies": list_of("Dependency"),
    "Dependency": {"type": "either", "string": "String", "structure": "TriggeredDependency"},
    # TriggerCondition of the SDK.
    "TriggeredDependency": structure({"Step": "String", "Trigger": "Trigger"}, ["Step", "Trigger"]),
    "Trigger": enum("Completed", "Failed", "Stopped", "Any"),
    "CacheConfig": structure({"Enabled": "Boolean", "ExpireAfter": "Duration"}),
    # ISO 8601; the SDK's own examples include "p30d" and "T12H".
    "Duration": {"type": "string", "pattern": r"(?i)P?(?=[\dT])(\d+[YMWD])*(T(\d+[HMS])+)?"},
    "RetryPolicies": list_of("RetryPolicy"),
    "RetryPolicy": structure(
        {
            "ExceptionType": "ExceptionTypes",
            "IntervalSeconds": "IntervalSeconds",
            "BackoffRate": "BackoffRate",
            "MaxAttempts": "MaxAttempts",
            "ExpireAfterMin": "ExpireAfterMinutes",
        },
        ["ExceptionType"],
    ),
    "ExceptionTypes": list_of("ExceptionType", min=1),
    "ExceptionType": enum(
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
        "Emr.RESOURCE_LIMIT",
    ),
    "IntervalSeconds": {"type": "integer", "min": 0, "max": _MAX_INTERVAL_SECONDS},
    "BackoffRate": {"type": "float", "min": 0},
    "MaxAttempts": {"type": "integer", "min": 1, "max": _MAX_ATTEMPTS},
    "ExpireAfterMinutes": {"type": "integer", "min": 0, "max": _MAX_EXPIRE_AFTER_MINUTES},
    # The role is allowed what is named here, so it is one function and one queue.
    "FunctionArn": {"type": "string", "pattern": r"arn:[^*?]+"},
    "QueueUrl": {"type": "string", "pattern": r"https?://[^*?]+"},
    "OutputParameters": list_of("OutputParameter"),
    "OutputParameter": structure(
        {"OutputName": "String", "OutputType": "ParameterType"}, ["OutputName", "OutputType"]
    ),
    "PropertyFiles": list_of("PropertyFile"),
    "PropertyFile": structure(
        {"PropertyFileName": "String", "OutputName": "String", "FilePath": "String"},
        ["PropertyFileName", "OutputName", "FilePath"],
    ),
    "QualityCheckType": enum("DATA_QUALITY", "MODEL_QUALITY"),
    "ClarifyCheckType": enum("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"),
}

SHAPES: Mapping[str, Shape] = {
    **_DOCUMENT,
    **_COMMON,
    **{f"{name}Step": shape for name, shape in STEPS.items()},
    **step_arguments.SHAPES,
    **step_properties.SHAPES,
}
