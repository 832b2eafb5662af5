"""The daily processing pipeline: one processing step that summarises one day's files.

It is meant to be started once a day, by a schedule that passes its own time as RunDate::

    PipelineSchedule.cron("0 3 * * ? *", parameters={"RunDate": PipelineSchedule.SCHEDULED_TIME})

An execution that is started late, again or by hand for an old day then works on that day, and not
on the day on which it happens to run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sagemaker.core import image_uris
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import ProcessingStep

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

CODE = Path(__file__).parent / "code"
INSTANCE_TYPE = "ml.m5.large"

# No caching: a run that is repeated for a day is repeated because that day's files have changed.
RETRIES = [
    StepRetryPolicy(
        exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
        interval_seconds=10,
        max_attempts=5,
    ),
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
        failure_reason_types=[
            SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
            SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
        ],
        interval_seconds=60,
        expire_after_mins=120,
    ),
]


class Parameters(NamedTuple):
    """What whoever starts an execution may change."""

    run_date: ParameterString
    lookback_days: ParameterInteger
    time_zone: ParameterString
    input_data_url: ParameterString


def build(context: PipelineContext) -> Pipeline:
    """Return the daily processing pipeline for the given bucket, role, region and name."""
    parameters = _parameters(context)
    return Pipeline(
        name=context.pipeline_name,
        parameters=list(parameters),
        steps=[_process_step(context, parameters)],
        sagemaker_session=context.session,
    )


def _parameters(context: PipelineContext) -> Parameters:
    return Parameters(
        # No default: there is no date that is right tomorrow, so whoever starts an execution must give one.
        run_date=ParameterString(name="RunDate"),
        # The day before the run is the last one that is complete.
        lookback_days=ParameterInteger(name="LookbackDays", default_value=1),
        # The scheduler gives its time in UTC; at 03:00 in Tokyo that is still the day before.
        time_zone=ParameterString(name="TimeZone", default_value="UTC"),
        input_data_url=ParameterString(
            name="InputDataUrl", default_value=f"s3://{context.bucket}/{context.pipeline_name}/incoming/"
        ),
    )


def _process_step(context: PipelineContext, parameters: Parameters) -> ProcessingStep:
    processor = ScriptProcessor(
        image_uri=image_uris.retrieve(
            framework="sklearn",
            region=context.region,
            version="1.2-1",
            py_version="py3",
            instance_type=INSTANCE_TYPE,
        ),
        command=["python3"],
        instance_type=INSTANCE_TYPE,
        instance_count=1,
        max_runtime_in_seconds=3600,
        base_job_name="daily-processing",
        role=context.role,
        sagemaker_session=context.session,
    )
    step_args = processor.run(
        code=str(CODE / "process.py"),
        inputs=[_incoming(parameters)],
        outputs=[_summary(context)],
        arguments=[
            "--run-date",
            parameters.run_date,
            "--lookback-days",
            parameters.lookback_days.to_string(),
            "--time-zone",
            parameters.time_zone,
        ],
    )
    return ProcessingStep(name="DailyProcess", step_args=step_args, retry_policies=RETRIES)


def _incoming(parameters: Parameters) -> ProcessingInput:
    return ProcessingInput(
        input_name="incoming",
        s3_input=ProcessingS3Input(
            s3_uri=parameters.input_data_url,
            local_path="/opt/ml/processing/incoming",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        ),
    )


def _summary(context: PipelineContext) -> ProcessingOutput:
    execution_id = ExecutionVariables.PIPELINE_EXECUTION_ID
    return ProcessingOutput(
        output_name="summary",
        s3_output=ProcessingS3Output(
            s3_uri=Join(
                on="/", values=["s3:/", context.bucket, context.pipeline_name, execution_id, "summary"]
            ),
            local_path="/opt/ml/processing/summary",
            s3_upload_mode="EndOfJob",
        ),
    )
