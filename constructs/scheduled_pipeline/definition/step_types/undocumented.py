"""The types of steps of which nothing but the name is known.

They are named in ``PipelineExecutionStepMetadata`` of the API. The SDK makes none of them, and no page tells
their arguments or what the execution role must be allowed.
"""

from __future__ import annotations

from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

_NAMES = (
    "Athena",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockProvisionedModelThroughput",
    "BedrockModelImport",
)
_PERMISSIONS = Permissions(not_known="AWS does not document what a step of this type does")

UNDOCUMENTED = tuple(
    StepType(name=name, cached=True, retried=True, permissions=_PERMISSIONS) for name in _NAMES
)
