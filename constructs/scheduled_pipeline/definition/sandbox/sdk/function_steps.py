"""What the SDK needs done to it before functions with ``@step`` compile.

Written against version 3.27. The SDK keeps the code and the results of a function in one S3 folder. Here the
code comes as an input channel of the function's job: it becomes an asset, which the role can only read. The
results go to the artifact bucket, which it can write to. See docs/decisions/0008-function-steps.md.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.sandbox import run_function

# Stands in the place of the SDK's time stamp, in the path of the code and of the results.
_FOLDER = "code"
_INVOKE = "-m sagemaker.core.remote_function.invoke_function"
_SCRIPT = Path(run_function.__file__)
_PLACEHOLDER = re.compile(placeholders.ANY.encode())
_CONTEXT = (
    "what is only known when the stack is deployed (context.bucket, context.role, context.account or a value "
    "with a token); pass it to the function as an argument of its own"
)


def prepare() -> None:
    """Let steps made by ``@step`` compile to the same bytes on every machine, with their code apart."""
    _patch()
    from scheduled_pipeline.definition.sandbox.sdk.function_pickle import restart_ids

    restart_ids()


@cache
def _patch() -> None:
    from sagemaker.core.remote_function import job
    from sagemaker.core.remote_function.core import serialization
    from sagemaker.mlops.workflow import _steps_compiler, function_step

    from scheduled_pipeline.definition.sandbox.sdk.function_pickle import FunctionPickler

    serialization.cloudpickle.CloudPickler = FunctionPickler
    _sign_alike(serialization)
    _bring_own_script(job)
    _start_alike(_steps_compiler.StepsCompiler, serialization.ec)
    _check_contents(function_step._FunctionStep)
    _send_code_by_channel(function_step._FunctionStep)


def _sign_alike(serialization: Any) -> None:
    """Sign a payload the same way each time (RFC 6979), and name the Python by the version that matters."""
    algorithm = serialization.ec.ECDSA(serialization.hashes.SHA256(), deterministic_signing=True)

    def sign(buffer: bytes, private_key: Any) -> str:
        signature: bytes = private_key.sign(buffer, algorithm)
        encoded: bytes = serialization.base64.b64encode(signature)
        return encoded.decode()

    to_json = serialization._MetaData.to_json

    def to_json_of_minor_version(self: Any) -> Any:
        self.python_version = ".".join(self.python_version.split(".")[:2])
        return to_json(self)

    serialization._sign_payload = sign
    serialization._MetaData.to_json = to_json_of_minor_version


def _bring_own_script(job: Any) -> None:
    """Upload ``run_function.py`` beside the SDK's scripts, and let the job's driver run it."""
    driver: str = job.ENTRYPOINT_SCRIPT
    if _INVOKE not in driver:
        raise RuntimeError(f"this version of the SageMaker Python SDK does not start a job with {_INVOKE!r}")
    place = f"/opt/ml/input/data/{job.RUNTIME_SCRIPTS_CHANNEL_NAME}/{_SCRIPT.name}"
    job.ENTRYPOINT_SCRIPT = driver.replace(_INVOKE, place)
    original = job._prepare_and_upload_runtime_scripts

    def upload(*args: Any, **kwargs: Any) -> Any:
        uri = original(*args, **kwargs)
        job.S3Uploader.upload(str(_SCRIPT), uri, kwargs["s3_kms_key"], kwargs["sagemaker_session"])
        return uri

    job._prepare_and_upload_runtime_scripts = upload


def _start_alike(compiler: Any, ec: Any) -> None:
    """Give each compilation the same key and the same folder.

    Whoever reads this knows the key, so the signature proves nothing; that the code is what the definition
    was made with is known by its SHA-256 among the container's arguments.
    """
    secret = int.from_bytes(hashlib.sha256(b"scheduled-pipeline @step").digest(), "big")
    key = ec.derive_private_key(secret, ec.SECP256R1())
    original = compiler.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._function_step_secret_token = key
        self.pipeline_build_time = _FOLDER

    compiler.__init__ = init


def _check_contents(function_step: Any) -> None:
    """Hand on what only the deployment knows outside the pickled arguments, and refuse it inside.

    What is pickled becomes a file; the placeholders in it are never replaced.
    """
    from sagemaker.core.workflow.execution_variables import ExecutionVariable

    original = function_step.__init__

    def init(self: Any, *args: Any, func_args: Any = (), func_kwargs: Any = None, **kwargs: Any) -> None:
        count = itertools.count()
        func_args = tuple(_late(value, count, ExecutionVariable) for value in func_args)
        func_kwargs = {
            name: _late(value, count, ExecutionVariable) for name, value in (func_kwargs or {}).items()
        }
        original(self, *args, func_args=func_args, func_kwargs=func_kwargs, **kwargs)
        for what, content in (
            ("itself", self._serialized_data.func),
            ("in its arguments, inside an object", self._serialized_data.args),
        ):
            if _PLACEHOLDER.search(content):
                raise ValueError(f"the function {self.func.__name__!r} of @step holds {what} {_CONTEXT}")

    function_step.__init__ = init


def _late(value: Any, count: Iterator[int], variable: Any) -> Any:
    """Return a value as it is, or, if it has a placeholder in it, as a variable of the definition.

    The SDK hands the value of a variable to the container in the job's arguments, where placeholders are
    replaced.
    """
    if not isinstance(value, str) or not re.search(placeholders.ANY, value):
        return value
    late = variable(f"Argument{next(count)}")
    late.to_string = lambda: value
    return late


def _send_code_by_channel(function_step: Any) -> None:
    original = function_step.arguments.fget

    def arguments(self: Any) -> Any:
        if self._step_kwargs.get("spark_config") is not None:
            raise ValueError(
                f"the function {self.func.__name__!r} of @step has a spark_config, which cannot be compiled; "
                "run it in a processing step, for example with PySparkProcessor"
            )
        if self._job_settings.include_local_workdir:
            raise ValueError(
                f"the function {self.func.__name__!r} of @step is to take the working directory with it "
                "(IncludeLocalWorkDir), which differs from machine to machine; what the function uses of the "
                "project's modules goes with it anyway"
            )
        request = original(self)
        command = request["AlgorithmSpecification"]["ContainerArguments"]
        base_uri = command[command.index("--s3_base_uri") + 1]
        source = {"S3Uri": f"{base_uri}/{self.name}/{_FOLDER}", "S3DataType": "S3Prefix"}
        request["InputDataConfig"].append(
            {"ChannelName": run_function.CHANNEL, "DataSource": {"S3DataSource": source}}
        )
        data = self._serialized_data
        command[:0] = [
            *(run_function.FUNCTION_DIGEST, hashlib.sha256(data.func).hexdigest()),
            *(run_function.ARGUMENTS_DIGEST, hashlib.sha256(data.args).hexdigest()),
        ]
        return request

    function_step.arguments = property(arguments, doc=function_step.arguments.__doc__)
