"""Models with inference code, as ``ModelBuilder`` takes it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import step_type_parts as parts
from sagemaker.core.training.configs import SourceCode
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.serve.spec.inference_spec import InferenceSpec
from sagemaker.serve.utils.types import ModelServer

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

SHARED = "/tmp/sagemaker"
FACTOR = 2


class Doubling(InferenceSpec):  # type: ignore[misc]
    """Uses a constant of this module, which no container has."""

    def __init__(self, note: str = "") -> None:
        self.note = note

    def load(self, model_dir: str) -> Any:
        return model_dir

    def invoke(self, input_object: Any, model: Any) -> Any:
        return input_object * FACTOR


def absolute(context: PipelineContext) -> Pipeline:
    return _trained(context, _source())


def relative(context: PipelineContext) -> Pipeline:
    return _trained(context, SourceCode(source_dir=os.path.relpath(parts.CODE), entry_script="step.py"))


def registered(context: PipelineContext) -> Pipeline:
    train = parts.training(context)
    data = train.properties.ModelArtifacts.S3ModelArtifacts
    builder = _builder(context, s3_model_data_url=data, source_code=_source())
    return _pipeline(context, train, _register(builder))


def registered_with_a_script_alone(context: PipelineContext) -> Pipeline:
    script = SourceCode(entry_script=str(parts.CODE / "step.py"))
    data = f"s3://{context.bucket}/model.tar.gz"
    return _pipeline(context, _register(_builder(context, s3_model_data_url=data, source_code=script)))


def of_a_parameter(context: PipelineContext) -> Pipeline:
    uri = ParameterString(name="Model", default_value=f"s3://{context.bucket}/model.tar.gz")
    builder = _builder(context, s3_model_data_url=uri, source_code=_source())
    return _pipeline(context, _create(builder), parameters=[uri])


def with_a_spec(context: PipelineContext) -> Pipeline:
    return _with(context, Doubling(), dependencies={"custom": ["numpy==2.1.0"]})


def in_a_folder_of_its_own(context: PipelineContext) -> Pipeline:
    """Fails where the SDK makes the folder that all users of a machine share, as for the second of them."""

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.mkdir" and str(args[0]).startswith(SHARED):
            raise PermissionError(f"{args[0]} is another user's")

    sys.addaudithook(refuse)
    builder = _builder(
        context, inference_spec=Doubling(), dependencies={}, model_server=ModelServer.TORCHSERVE
    )
    assert Path(builder.model_path).is_relative_to(tempfile.gettempdir())
    return _pipeline(context, _create(builder))


def with_the_dependencies_of_the_machine(context: PipelineContext) -> Pipeline:
    return _with(context, Doubling())


def with_a_placeholder(context: PipelineContext) -> Pipeline:
    return _with(context, Doubling(context.bucket), dependencies={})


def without_a_folder(context: PipelineContext) -> Pipeline:
    return _trained(context, SourceCode(entry_script=str(parts.CODE / "step.py")))


def of_a_model_that_is_there(context: PipelineContext) -> Pipeline:
    data = f"s3://{context.bucket}/model.tar.gz"
    return _pipeline(context, _create(_builder(context, s3_model_data_url=data, source_code=_source())))


def _source() -> SourceCode:
    return SourceCode(source_dir=str(parts.CODE), entry_script="step.py")


def _trained(context: PipelineContext, source_code: SourceCode) -> Pipeline:
    train = parts.training(context)
    data = train.properties.ModelArtifacts.S3ModelArtifacts
    builder = _builder(context, s3_model_data_url=data, source_code=source_code)
    return _pipeline(context, train, _create(builder))


def _with(context: PipelineContext, spec: InferenceSpec, **options: Any) -> Pipeline:
    builder = _builder(context, inference_spec=spec, model_server=ModelServer.TORCHSERVE, **options)
    return _pipeline(context, _create(builder))


def _builder(context: PipelineContext, **options: Any) -> ModelBuilder:
    return ModelBuilder(
        image_uri=parts.image(context), role_arn=context.role, sagemaker_session=context.session, **options
    )


def _create(builder: ModelBuilder) -> ModelStep:
    return ModelStep(name="Model", step_args=builder.build())


def _register(builder: ModelBuilder) -> ModelStep:
    types = {"content_types": ["text/csv"], "response_types": ["text/csv"]}
    return ModelStep(name="Model", step_args=builder.register(model_package_group_name="group", **types))


def _pipeline(context: PipelineContext, *steps: Any, parameters: list[Any] | None = None) -> Pipeline:
    return Pipeline(
        name=context.pipeline_name,
        parameters=parameters or [],
        steps=list(steps),
        sagemaker_session=context.session,
    )
