"""What the SageMaker Python SDK needs done to it before it builds a definition the same way every time.

Written against version 3.27. Nearly everything here is about time, noise or speed: a definition is right
without it, but differs from day to day and takes several times as long.
"""

from __future__ import annotations

import functools
import os
import random
import sys
import time
import uuid
import zoneinfo
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import FrameType
from typing import Any, Self

from scheduled_pipeline.definition.sandbox.guard.stand_ins import stand_in
from scheduled_pipeline.definition.sandbox.sdk import model_code

# What the SDK's clock shows first, in its time stamps and names only: 2020-12-01T00:00:00.001Z, the
# version of the pipeline definition's format.
_TIME = 1606780800.001

_uuids = random.Random(0)

# The SDK's variable for a file of settings; a build function sets it in its own process.
_USER_CONFIG = "SAGEMAKER_USER_CONFIG_OVERRIDE"


def pipeline_session(boto_session: Any, bucket: str) -> Any:
    """Make a ``PipelineSession`` that asks nobody for its default bucket."""
    session = _session_class()(
        boto_session=boto_session,
        sagemaker_client=boto_session.client("sagemaker"),
        default_bucket=bucket,
    )
    session._default_bucket = bucket
    return session


@functools.cache
def _session_class() -> Any:
    from sagemaker.core.config.config import load_sagemaker_config
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    class ContextSession(PipelineSession):  # type: ignore[misc]
        """Has the configuration that the build function names, even after the session was made."""

        @property
        def sagemaker_config(self) -> Any:
            if self._config_place != os.environ.get(_USER_CONFIG):
                self.sagemaker_config = load_sagemaker_config(s3_resource=self.s3_resource)
            return self._sdk_config

        @sagemaker_config.setter
        def sagemaker_config(self, config: Any) -> None:
            self._sdk_config, self._config_place = config, os.environ.get(_USER_CONFIG)

    return ContextSession


def quieten() -> None:
    """Turn off telemetry, the search for Studio tags, sessions for single steps, a clock and a database."""
    import sagemaker.core._studio as studio
    import sagemaker.core.telemetry.telemetry_logging as telemetry
    from dateutil.tz import tz
    from sagemaker.mlops.workflow import _steps_compiler, function_step, steps
    from sagemaker.train import utils as names

    names.datetime = _SdkDateTime
    telemetry._send_telemetry_request = lambda *args, **kwargs: None
    # It looks for .sagemaker-code-config in the working directory and in all above it.
    studio._find_config = lambda working_dir=None: None
    # ProcessingStep and TransformStep make a LocalSession, 0.25 s each, to read the name of a method.
    steps.LocalSagemakerClient = _LocalSagemakerClient
    # @step describes a function without a docstring by the file it is in, wherever this machine has it.
    function_step._FunctionStep.to_request = _without_its_folder(function_step._FunctionStep)
    _take_collections(_steps_compiler.StepsCompiler)
    model_code.prepare()
    _explain_configuration()
    # dateutil, which comes with boto3, looks for time zones in folders of the machine.
    tz.TZPATHS[:] = zoneinfo.TZPATH


@functools.cache
def _explain_configuration() -> None:
    """Say of a configuration file what is wrong with it in a line, and not with the schema of them all."""
    from sagemaker.core.config import config

    load, validate = config._load_config_from_file, config.validate_sagemaker_config
    loaded = [""]

    def load_or_explain(place: str) -> Any:
        loaded[0] = place
        try:
            return load(place)
        except config.yaml.YAMLError as error:
            what = f"the configuration {place}, of the SageMaker Python SDK, is not YAML"
            raise ValueError(f"{what}: {error}") from None

    def validate_or_explain(content: Any = None) -> None:
        try:
            validate(content)
        except config.jsonschema.ValidationError as error:
            where = ".".join(map(str, error.absolute_path)) or "its top"
            what = f"the configuration {loaded[0]}, of the SageMaker Python SDK, is wrong at {where}"
            raise ValueError(f"{what}: {error.message}") from None

    config._load_config_from_file = load_or_explain
    config.validate_sagemaker_config = validate_or_explain


def _without_its_folder(function_step: Any) -> Any:
    """Return ``to_request`` of a function step with its file's name in the place of its file's path."""
    original = getattr(function_step.to_request, "__wrapped__", function_step.to_request)

    @functools.wraps(original)
    def to_request(self: Any) -> Any:
        request = original(self)
        if request.get("Description") == self.func.__code__.co_filename:
            request["Description"] = Path(request["Description"]).name
        return request

    return to_request


@functools.cache
def _take_collections(compiler: Any) -> None:
    """Let a pipeline have collections of steps among its steps, as the SDK documents it.

    Since version 3.21 its compiler refuses them with "Invalid input step type".
    """
    from sagemaker.mlops.workflow.step_collections import StepCollection

    simplify, generate = compiler._simplify_step_list, compiler._generate_step_map

    def flat(found: Any) -> list[Any]:
        listed = [one.steps if isinstance(one, StepCollection) else [one] for one in found or ()]
        return [step for steps in listed for step in steps]

    compiler._simplify_step_list = lambda self, found: simplify(self, flat(found))
    compiler._generate_step_map = staticmethod(lambda found, known: generate(flat(found), known))


class _LocalSagemakerClient:
    def create_processing_job(self) -> None: ...

    def create_transform_job(self) -> None: ...


def take_its_clock() -> None:
    """Let the SDK, and it alone, see a clock that begins anew with each build, and UUIDs that repeat.

    The SDK puts time stamps and random suffixes into names and S3 paths, which would make a new
    definition of every synth. The clock goes on by a second each time it is read: names with the same time
    stamp are the same name, and the code of one step would replace that of another. A build function that
    reads the clock still reads the real one. Must run before the SDK is imported.
    """
    real_time, real_uuid4 = time.time, uuid.uuid4

    def sdk_time() -> float:
        return _clock.read() if _called_by_sdk() else real_time() + _clock.offset

    def sdk_uuid4() -> uuid.UUID:
        return uuid.UUID(int=_uuids.getrandbits(128), version=4) if _called_by_sdk() else real_uuid4()

    stand_in(time, "time", sdk_time)
    stand_in(uuid, "uuid4", sdk_uuid4)


def shift_the_other_clock(seconds: float) -> None:
    """Add so much to what everybody but the SDK sees, in ``time.time``."""
    _clock.offset = seconds


def restart_its_clock() -> None:
    """Begin the SDK's clock and UUIDs anew, so that a definition does not depend on those built before it."""
    _uuids.seed(0)
    _clock.restart()


class _Clock:
    """Shows a second more each time that it is read."""

    offset = 0.0

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._read = 0

    def read(self) -> float:
        self._read += 1
        return _TIME + self._read - 1


_clock = _Clock()


class _SdkDateTime(datetime):
    """The ``datetime`` of the SDK's module that names jobs; ``datetime.now`` does not go by ``time.time``."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(_clock.read(), tz or UTC)


def _called_by_sdk() -> bool:
    """Whether a function that stands in for another was called by the SDK; others of ours only pass it on."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _module_of(frame).startswith("scheduled_pipeline."):
        frame = frame.f_back
    return frame is not None and _module_of(frame).startswith("sagemaker.")


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
