"""Build functions with `@step`: what functions of pipelines use, take and return."""

from __future__ import annotations

import os
import urllib.parse
import wsgiref.headers
import wsgiref.util
from os import access
from time import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import function_helpers
import step_type_parts as parts
from function_helpers import UNITS, Summary, summarise
from sagemaker.core.remote_function.checkpoint_location import CheckpointLocation
from sagemaker.core.workflow.conditions import ConditionGreaterThan
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

FACTOR = 2.0


def settings(context: PipelineContext) -> dict[str, Any]:
    return {"image_uri": parts.image(context), "instance_type": parts.INSTANCE, "role": context.role}


def scaled(number: float) -> float:
    return FACTOR * number


def measure(numbers: list[float], weight: int, place: str) -> tuple[Summary[float], float, str]:
    """Measure."""
    summary = summarise([scaled(number) for number in numbers])
    return summary, weight * summary.value, urllib.parse.urlsplit(place).path.rpartition("/")[2]


def report(summary: Summary[float], place: str, execution_id: str) -> dict[str, Any]:
    again = function_helpers.summarise([1.0, 2.0], function_helpers.Kind.SUM)
    return {
        "text": summary.text(),
        "same class": isinstance(summary, Summary),
        "again": again.value,
        "units": sorted(UNITS),
        "place": place,
        "execution": execution_id,
    }


def chain(context: PipelineContext) -> Pipeline:
    weight = ParameterInteger("Weight", default_value=3)
    measured = step(measure, name="Measure", **settings(context))(
        [1.0, 2.0], weight, place=f"s3://{context.bucket}/raw/data.csv"
    )
    reported = step(report, name="Report", **settings(context))(
        measured[0], measured[2], ExecutionVariables.PIPELINE_EXECUTION_ID
    )
    return parts.pipeline(context, reported, parameters=[weight])


def score(number: float) -> dict[str, list[float]]:
    """Score."""
    return {"scores": [number, scaled(number)]}


def with_a_condition(context: PipelineContext) -> Pipeline:
    limit = ParameterFloat("Limit", default_value=5.0)
    scored = step(score, name="Score", **settings(context))(3.5)
    enough = ConditionGreaterThan(left=scored["scores"][1], right=limit)
    stop = FailStep(name="Stop", error_message="too little")
    choose = ConditionStep(name="Choose", conditions=[enough], if_steps=[], else_steps=[stop])
    return parts.pipeline(context, choose, parameters=[limit])


def count(place: str) -> int:
    """Count."""
    return len(place)


def after_a_processing_step(context: PipelineContext) -> Pipeline:
    process = parts.processing(context)
    output = process.properties.ProcessingOutputConfig.Outputs["report"].S3Output.S3Uri
    counted = step(count, name="Count", **settings(context))(output)
    return parts.pipeline(context, process, counted)


def with_a_placeholder(context: PipelineContext) -> Pipeline:
    place = f"s3://{context.bucket}/raw/data.csv"
    return parts.pipeline(context, step(count, name="Count", **settings(context))(place=place))


def with_dependencies(context: PipelineContext) -> Pipeline:
    @step(
        name="Count",
        dependencies=str(parts.CODE.parent / "dependencies" / "requirements.txt"),
        pre_execution_commands=["echo prepared > prepared.txt"],
        environment_variables={"GREETING": "hello"},
        **settings(context),
    )
    def prepared() -> list[str]:
        from pathlib import Path

        return [os.environ["GREETING"], Path("prepared.txt").read_text().strip()]

    return parts.pipeline(context, prepared())


def resume(folder: CheckpointLocation) -> str:
    return os.fspath(folder)


def submodules() -> list[str]:
    return [module.__name__ for module in (wsgiref.headers, wsgiref.util)]


def with_submodules(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, step(submodules, name="Name", **settings(context))())


def with_a_checkpoint(context: PipelineContext) -> Pipeline:
    place = CheckpointLocation(f"s3://{context.bucket}/checkpoints")
    return parts.pipeline(context, step(resume, name="Resume", **settings(context))(place))


def fail() -> None:
    raise LookupError("nothing there")


def that_fails(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, step(fail, name="Fail", **settings(context))())


def held() -> list[str]:
    """Use what stands in for something else where this is compiled."""
    return [type(time()).__name__, str(uuid4())[14], str(access(os.sep, os.F_OK))]


def that_holds_the_clock(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, step(held, name="Held", **settings(context))())


def holds_the_bucket(context: PipelineContext) -> Pipeline:
    bucket = context.bucket

    @step(name="Count", **settings(context))
    def closure() -> int:
        return len(bucket)

    return parts.pipeline(context, closure())


def passes_the_bucket_in_a_list(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, step(count, name="Count", **settings(context))([context.bucket]))


def holds_the_context(context: PipelineContext) -> Pipeline:
    @step(name="Count", **settings(context))
    def closure() -> int:
        return len(context.bucket)

    return parts.pipeline(context, closure())


def without_a_role(context: PipelineContext) -> Pipeline:
    given = {name: value for name, value in settings(context).items() if name != "role"}
    return parts.pipeline(context, step(count, name="Count", **given)("x"))


def with_spark(context: PipelineContext) -> Pipeline:
    from sagemaker.core.remote_function.spark_config import SparkConfig

    counted = step(count, name="Count", spark_config=SparkConfig(), **settings(context))("x")
    return parts.pipeline(context, counted)
