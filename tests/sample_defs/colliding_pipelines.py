"""Build functions in which two steps bring code of their own under what the SDK takes for one name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker.core.processing import FrameworkProcessor
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"


def _folder(name: str) -> str:
    folder = Path(os.environ["TMPDIR"]) / name
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(f"print({name!r})\n")
    return str(folder)


def _processing(context: PipelineContext, name: str, **given: Any) -> ProcessingStep:
    processor = FrameworkProcessor(
        image_uri=IMAGE,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        role=context.role,
        sagemaker_session=context.session,
        **given,
    )
    return ProcessingStep(name=name, step_args=processor.run(code="main.py", source_dir=_folder(name)))


def _training(context: PipelineContext, name: str) -> TrainingStep:
    trainer = ModelTrainer(
        training_image=IMAGE,
        source_code=SourceCode(source_dir=_folder(name), entry_script="main.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        base_job_name="train",
        role=context.role,
        sagemaker_session=context.session,
    )
    return TrainingStep(name=name, step_args=trainer.train())


def default_names(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _processing(context, "First"), _processing(context, "Second"))


def same_names(context: PipelineContext) -> Pipeline:
    steps = [_processing(context, name, base_job_name="prepare") for name in ("First", "Second")]
    return _pipeline(context, *steps)


def trainers(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _training(context, "First"), _training(context, "Second"))


def one_place_for_both(context: PipelineContext) -> Pipeline:
    """The user's own doing: two scripts under one key."""
    for name in ("one", "two"):
        uri = context.session.upload_string_as_file_body(name, context.bucket, "code/settings.txt")
    step = _processing(context, "Only")
    step.step_args = step.step_args
    return _pipeline(context, step, parameter=str(uri))


def by_a_client(context: PipelineContext) -> Pipeline:
    """An upload that no step reads, by boto3 itself."""
    script = Path(_folder("client")) / "main.py"
    context.session.boto_session.client("s3").upload_file(str(script), context.bucket, "extra/main.py")
    return _pipeline(context, _processing(context, "Only"))


def by_a_resource(context: PipelineContext) -> Pipeline:
    """The same by boto3's ``Bucket``."""
    script = Path(_folder("resource")) / "main.py"
    bucket = context.session.boto_session.resource("s3").Bucket(context.bucket)
    bucket.upload_file(str(script), "extra/main.py")
    return _pipeline(context, _processing(context, "Only"))


def by_an_object(context: PipelineContext) -> Pipeline:
    """The same by boto3's ``Object``, out of memory."""
    import io

    context.session.boto_session.resource("s3").Object(context.bucket, "extra/a").upload_fileobj(
        io.BytesIO(b"a")
    )
    return _pipeline(context, _processing(context, "Only"))


def _pipeline(context: PipelineContext, *steps: Any, parameter: str | None = None) -> Pipeline:
    from sagemaker.core.workflow.parameters import ParameterString

    parameters = [ParameterString("Settings", default_value=parameter)] if parameter else []
    return Pipeline(
        name=context.pipeline_name,
        steps=list(steps),
        parameters=parameters,
        sagemaker_session=context.session,
    )
