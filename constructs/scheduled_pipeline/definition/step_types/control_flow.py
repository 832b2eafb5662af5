"""The types of steps that the pipeline service does itself: what runs, how often, and when it ends."""

from __future__ import annotations

from scheduled_pipeline.definition.step_types.shape_notation import enum, list_of, structure
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

# ForEachStep of the SDK: MAX_CONCURRENCY_MAX, MAX_LITERAL_ITERABLE_ITEMS.
_MAX_CONCURRENCY, _MAX_ITEMS = 50, 100
# ConditionTypeEnum of the SDK, and two more that only the JSON schema has.
_COMPARISON = ("Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")

CONDITION = StepType(
    name="Condition",
    arguments="ConditionArguments",
    properties=("ConditionProperties",),
    shapes={
        "ConditionArguments": structure(
            {"Conditions": "Conditions", "IfSteps": "BranchSteps", "ElseSteps": "BranchSteps"}, ["Conditions"]
        ),
        "Conditions": list_of("Condition"),
        "Condition": {
            "type": "tagged",
            "tag": "Type",
            "shapes": {
                **dict.fromkeys(_COMPARISON, "Comparison"),
                "In": "Membership",
                "NotIn": "Membership",
                "Not": "Negation",
                "Or": "Alternatives",
            },
        },
        "Comparison": structure(
            {"Type": "String", "LeftValue": "ScalarOrNothing", "RightValue": "ScalarOrNothing"},
            ["LeftValue", "RightValue"],
        ),
        "Membership": structure(
            {"Type": "String", "QueryValue": "ScalarOrNothing", "Values": "Scalars"}, ["QueryValue", "Values"]
        ),
        "Negation": structure({"Type": "String", "Condition": "Condition"}, ["Condition"]),
        "Alternatives": structure({"Type": "String", "Conditions": "Conditions"}, ["Conditions"]),
        "ConditionProperties": structure({"Outcome": "ScalarOrNothing"}),
    },
    # https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html: "Pipelines doesn't
    # support the use of nested condition steps".
    refuses=("Condition",),
    permissions=Permissions(nothing="the pipeline service compares the values itself"),
    uses_resources=False,
)

FOR_EACH = StepType(
    name="ForEach",
    arguments="ForEachArguments",
    properties=("ForEachProperties",),
    shapes={
        "ForEachArguments": structure(
            {
                "IterableItems": "IterableItems",
                "MaxConcurrency": "MaxConcurrency",
                "Selector": "Selector",
                "ForEachBody": "Steps",
            },
            ["IterableItems", "MaxConcurrency", "ForEachBody"],
        ),
        "IterableItems": {"type": "either", "expression": "String", "list": "Items"},
        "Items": list_of("ScalarOrNothing", min=1, max=_MAX_ITEMS),
        "MaxConcurrency": {"type": "integer", "min": 1, "max": _MAX_CONCURRENCY},
        "Selector": structure({"Pick": "Pick", "Field": "ScalarOrNothing"}, ["Pick", "Field"]),
        "Pick": enum("MaxBy", "MinBy"),
        "ForEachProperties": structure(
            {
                "Status": "String",
                "InputItemCount": "Integer",
                "TotalStepCount": "Integer",
                "SucceededStepCount": "Integer",
                "FailedStepCount": "Integer",
                "StoppedStepCount": "Integer",
                "IterationOutputs": "Anything",
                "Selected": "Anything",
            }
        ),
    },
    # _DISALLOWED_BODY_STEP_TYPES of the SDK's ForEachStep.
    refuses=("Condition", "Fail", "ForEach"),
    permissions=Permissions(nothing="the pipeline service repeats the steps, which have rows of their own"),
    uses_resources=False,
)

FAIL = StepType(
    name="Fail",
    arguments="FailArguments",
    properties=(),
    shapes={"FailArguments": structure({"ErrorMessage": "String"})},
    permissions=Permissions(nothing="the pipeline service ends the execution itself"),
    uses_places=False,
    uses_resources=False,
)
