"""Build functions for the tests of the compiler: good ones and ones with each slip."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

CODE = Path(__file__).parent / "code"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"
NOT_A_FUNCTION = 5
REGION_AT_IMPORT = boto3.Session().region_name


def script(context: PipelineContext) -> Pipeline:
    """A file upload: ``ScriptProcessor(code=...)``."""
    return _pipeline(context, _script_step(context))


def source_folder(context: PipelineContext) -> Pipeline:
    """Two folder uploads: ``ModelTrainer(source_code=...)`` and the SDK's drivers for it."""
    trainer = ModelTrainer(
        training_image=IMAGE,
        source_code=SourceCode(source_dir=str(CODE), entry_script="step.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        base_job_name="train",
        role=context.role,
        sagemaker_session=context.session,
    )
    return _pipeline(context, TrainingStep(name="Train", step_args=trainer.train()))


def packed_folder(context: PipelineContext) -> Pipeline:
    """An archive and scripts made in memory: ``FrameworkProcessor(source_dir=...)``."""
    processor = FrameworkProcessor(
        image_uri=IMAGE,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        role=context.role,
        sagemaker_session=context.session,
    )
    return _pipeline(
        context,
        ProcessingStep(name="Process", step_args=processor.run(code="step.py", source_dir=str(CODE))),
    )


def upload_data(context: PipelineContext) -> Pipeline:
    """An upload that the build function asks for itself."""
    uri = context.session.upload_data(str(CODE / "settings.json"), key_prefix="settings")
    return _pipeline(context, _script_step(context, settings=uri))


def upload_text(context: PipelineContext) -> Pipeline:
    """An upload of bytes that are in no file."""
    uri = context.session.upload_string_as_file_body("a: 1\n", context.bucket, "settings/run.yaml")
    return _pipeline(context, _script_step(context, settings=uri))


def upload_large_file(context: PipelineContext) -> Pipeline:
    """An upload in several parts: over 8 MB."""
    path = Path(os.environ["TMPDIR"]) / "large.bin"
    path.write_bytes(b"0123456789" * 900_000)
    return _pipeline(context, _script_step(context, settings=context.session.upload_data(str(path))))


def reads_step_arguments(context: PipelineContext) -> Pipeline:
    """The tutorials' idiom that makes the SDK upload a second time, to a place nothing refers to."""
    step = _script_step(context)
    assert step.arguments
    return _pipeline(context, step)


def with_values(context: PipelineContext) -> Pipeline:
    """Values of the construct, one of them known at deploy time only."""
    settings = f"s3://{context.value('DataBucket')}/{context.value('Prefix')}/in.csv"
    return _pipeline(context, _script_step(context, settings=settings, count=context.value("Count")))


def everything_of_the_context(context: PipelineContext) -> Pipeline:
    text = " ".join([context.account, context.region, context.partition, context.bucket, context.role])
    return _pipeline(context, _script_step(context), parameter=text)


def reads_a_bucket_with_its_own_image(context: PipelineContext) -> Pipeline:
    processor = ScriptProcessor(
        image_uri=f"{context.account}.dkr.ecr.{context.region}.amazonaws.com/hello:1",
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="process",
        role=context.role,
        sagemaker_session=context.session,
    )
    inputs = [_input(f"s3://{context.value('DataBucket')}/in/data.csv")]
    step_args = processor.run(code=str(CODE / "step.py"), inputs=inputs)
    return _pipeline(context, ProcessingStep(name="Process", step_args=step_args))


def changes_its_context(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context), parameter=context.bucket.upper())


def missing_file(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context, code=CODE / "no_such_file.py"))


def missing_value(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context, settings=context.value("Nope")))


def calls_aws(context: PipelineContext) -> Pipeline:
    boto3.client("s3").list_buckets()
    return _pipeline(context, _script_step(context))


def calls_aws_through_the_session(context: PipelineContext) -> Pipeline:
    context.session.sagemaker_client.list_model_packages(ModelPackageGroupName="group")
    return _pipeline(context, _script_step(context))


def calls_a_web_site(context: PipelineContext) -> Pipeline:
    urllib.request.urlopen("https://example.com/data.csv")
    return _pipeline(context, _script_step(context))


def connects_by_address(context: PipelineContext) -> Pipeline:
    with socket.socket() as connection:
        connection.connect(("192.0.2.1", 443))
    return _pipeline(context, _script_step(context))


def catches_what_is_refused(context: PipelineContext) -> Pipeline:
    try:
        boto3.client("sagemaker").list_models()
    except Exception as error:
        raise KeyError("latest") from error
    return _pipeline(context, _script_step(context))


def raises(context: PipelineContext) -> Pipeline:
    return _helper_that_raises(context)


def exits(context: PipelineContext) -> Pipeline:
    raise SystemExit("enough")


def kills_its_process(context: PipelineContext) -> Pipeline:
    print("last words", flush=True)
    os._exit(7)


def returns_nothing(context: PipelineContext) -> None:
    return None


def names_it_otherwise(context: PipelineContext) -> Pipeline:
    return Pipeline(name="Other", steps=[_script_step(context)], sagemaker_session=context.session)


def odd_file_name(context: PipelineContext) -> Pipeline:
    script = Path(os.environ["TMPDIR"]) / "mon café, v2.py"
    script.write_text("print('a step')\n", encoding="utf-8")
    return _pipeline(context, _script_step(context, code=script))


def says_its_region(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context), parameter=f"{context.region} {REGION_AT_IMPORT}")


def changes_its_process(context: PipelineContext) -> Pipeline:
    os.environ["LEFT_BEHIND"] = "1"
    os.chdir("/")
    sys.path.insert(0, "/left/behind")
    return _pipeline(context, _script_step(context))


def shows_its_process(context: PipelineContext) -> Pipeline:
    seen = [os.environ.get("LEFT_BEHIND"), Path.cwd() == Path("/"), "/left/behind" in sys.path]
    return _pipeline(context, _script_step(context), parameter=repr(seen))


def runs_a_program(context: PipelineContext) -> Pipeline:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return _pipeline(context, _script_step(context), parameter=commit.stdout)


def connects_to_a_local_socket(context: PipelineContext) -> Pipeline:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("/var/run/docker.sock")
    return _pipeline(context, _script_step(context))


def asks_the_user(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context), parameter=input("name? "))


def leaves_a_thread_running(context: PipelineContext) -> Pipeline:
    threading.Thread(target=time.sleep, args=(60,)).start()
    return _pipeline(context, _script_step(context))


def takes_its_time(context: PipelineContext) -> Pipeline:
    time.sleep(3)
    return _pipeline(context, _script_step(context), parameter="late")


def is_not_a_number(context: PipelineContext) -> Pipeline:
    parameter = ParameterFloat("Number", default_value=float("nan"))
    return Pipeline(
        name=context.pipeline_name,
        parameters=[parameter],
        steps=[_script_step(context)],
        sagemaker_session=context.session,
    )


def leaves_its_folder(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context), parameter=f"{Path.cwd()}/data.csv")


def uploads_what_no_step_reads(context: PipelineContext) -> Pipeline:
    context.session.upload_data(str(CODE / "settings.json"), key_prefix="settings")
    return _pipeline(context, _script_step(context))


def leaves_a_local_path(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context), parameter=os.environ["HOME"])


def shows_its_environment(context: PipelineContext) -> Pipeline:
    """Everything a build function could read of its surroundings, as the default of a parameter."""
    seen = {
        "environment": {
            name: value for name, value in sorted(os.environ.items()) if "scheduled-pipeline-" not in value
        },
        "zone": time.tzname,
        "hash": hash("a string"),
        "set": list({"a", "b", "c", "d", "e"}),
    }
    return _pipeline(context, _script_step(context), parameter=repr(seen))


def is_noisy(context: PipelineContext) -> Pipeline:
    print("printed by the build function")
    warnings.warn("warned by the build function", stacklevel=1)
    return _pipeline(context, _script_step(context))


def reads_the_clock(context: PipelineContext) -> Pipeline:
    return _pipeline(context, _script_step(context), parameter=str(datetime.datetime.now(datetime.UTC).year))


def _helper_that_raises(context: PipelineContext) -> Any:
    return {}["instance type"]


def _script_step(
    context: PipelineContext, *, settings: str | None = None, code: Path = CODE / "step.py", count: int = 1
) -> ProcessingStep:
    processor = ScriptProcessor(
        image_uri=IMAGE,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=count,
        base_job_name="process",
        role=context.role,
        sagemaker_session=context.session,
    )
    inputs = [] if settings is None else [_input(settings)]
    return ProcessingStep(name="Process", step_args=processor.run(code=str(code), inputs=inputs))


def _input(uri: str) -> ProcessingInput:
    return ProcessingInput(
        input_name="settings",
        s3_input=ProcessingS3Input(
            s3_uri=uri,
            local_path="/opt/ml/processing/settings",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        ),
    )


def _pipeline(context: PipelineContext, step: Any, *, parameter: str = "a") -> Pipeline:
    return Pipeline(
        name=context.pipeline_name,
        parameters=[ParameterString("Text", default_value=parameter)],
        steps=[step],
        sagemaker_session=context.session,
    )
