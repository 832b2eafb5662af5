"""How pipelines that were written for a machine with an account begin."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
from dateutil import tz
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TransformStep

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"
CODE = Path(__file__).parent / "code"


def session_of_the_context(context: PipelineContext) -> Pipeline:
    """What the others are compared with."""
    return _processing(context, context.session)


def own_session(context: PipelineContext) -> Pipeline:
    return _processing(context, PipelineSession(default_bucket=context.bucket))


def own_session_with_clients(context: PipelineContext) -> Pipeline:
    boto_session = boto3.Session(region_name=context.region)
    session = PipelineSession(
        boto_session=boto_session,
        sagemaker_client=boto_session.client("sagemaker"),
        default_bucket=context.bucket,
    )
    return _processing(context, session)


def no_session(context: PipelineContext) -> Pipeline:
    step = _processing(context, context.session).steps[0]
    return Pipeline(name=context.pipeline_name, steps=[step])


def role_of_the_caller(context: PipelineContext) -> Pipeline:
    return _processing(context, context.session, role=get_execution_role())


def own_session_without_a_bucket(context: PipelineContext) -> Pipeline:
    return _processing(context, PipelineSession())


def default_bucket_of_the_account(context: PipelineContext) -> Pipeline:
    return _processing(context, PipelineSession(default_bucket=Session().default_bucket()))


def reads_time_zones(context: PipelineContext) -> Pipeline:
    """Say which installed files the zones come from."""
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    ZoneInfo.no_cache("Europe/Paris")
    tz.gettz.nocache("Europe/Paris")
    installed = sorted({name.partition("-packages")[2] for name in opened})
    pipeline = _processing(context, context.session)
    pipeline.parameters = [ParameterString("Opened", default_value=" ".join(installed))]
    return pipeline


def plots(context: PipelineContext) -> Pipeline:
    import matplotlib.pyplot as plt

    assert plt.figure
    return _processing(context, context.session)


def looks_at_its_repository(context: PipelineContext) -> Pipeline:
    import git

    assert git.Repo
    return _processing(context, context.session)


def transforms_with_a_model_that_is_there(context: PipelineContext) -> Pipeline:
    transformer = Transformer(
        model_name="existing",
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{context.bucket}/out",
        sagemaker_session=context.session,
    )
    step = TransformStep(name="Score", step_args=transformer.transform(data=f"s3://{context.bucket}/in"))
    return Pipeline(name=context.pipeline_name, steps=[step], sagemaker_session=context.session)


def describes_a_model(context: PipelineContext) -> Pipeline:
    model = context.session.sagemaker_client.describe_model(ModelName="existing")
    return _processing(context, context.session, role=model["ExecutionRoleArn"])


def reads_the_environment(context: PipelineContext) -> Pipeline:
    return _processing(context, context.session, role=os.environ["TEAM"])


def _processing(context: PipelineContext, session: Any, role: str | None = None) -> Pipeline:
    processor = ScriptProcessor(
        image_uri=IMAGE,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="process",
        role=role or context.role,
        sagemaker_session=session,
    )
    step = ProcessingStep(name="Process", step_args=processor.run(code=str(CODE / "step.py")))
    return Pipeline(name=context.pipeline_name, steps=[step], sagemaker_session=session)
