"""The format of a pipeline definition, written like an API's shapes in botocore.

The sources are AWS's JSON schema of the definition (April 2025,
https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/), which is
older than what the service takes, and the step classes of the SageMaker Python SDK 3.27, which are not.
What the types of steps bring to it is in ``step_types``.

Types that botocore does not have: ``any`` is not looked at, ``scalar`` is a string, a number or a boolean,
``tagged`` is a structure whose member ``tag`` chooses the shape, ``either`` is a string or a structure.
"""

from __future__ import annotations

from collections.abc import Mapping

from scheduled_pipeline.definition.step_types.shape_notation import Shape, enum, list_of, structure
from scheduled_pipeline.definition.step_types.step_type import StepType
from scheduled_pipeline.definition.step_types.table import STEP_TYPES

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


def _step(row: StepType) -> Shape:
    common = {
        "Name": "StepName",
        "Type": "String",
        "Arguments": row.arguments,
        "DependsOn": "Dependencies",
        "DisplayName": "DisplayName",
        "Description": "Description",
        **({"CacheConfig": "CacheConfig"} if row.cached else {}),
        **({"RetryPolicies": "RetryPolicies"} if row.retried else {}),
    }
    return structure({**common, **row.members}, ("Name", "Type", *row.required))


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
    "AnyStep": {"type": "tagged", "tag": "Type", "shapes": {name: f"{name}Step" for name in STEP_TYPES}},
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
    "OutputParameters": list_of("OutputParameter"),
    "OutputParameter": structure(
        {"OutputName": "String", "OutputType": "ParameterType"}, ["OutputName", "OutputType"]
    ),
    "PropertyFiles": list_of("PropertyFile"),
    "PropertyFile": structure(
        {"PropertyFileName": "String", "OutputName": "String", "FilePath": "String"},
        ["PropertyFileName", "OutputName", "FilePath"],
    ),
}

SHAPES: Mapping[str, Shape] = {
    **_DOCUMENT,
    **_COMMON,
    **{f"{name}Step": _step(row) for name, row in STEP_TYPES.items()},
    **{name: shape for row in STEP_TYPES.values() for name, shape in row.shapes.items()},
}
