"""What the SageMaker Python SDK needs done to it before it builds a definition the same way every time.

Written against version 3.27. Nearly everything here is about time, noise or speed: a definition is right
without it, but differs from day to day and takes several times as long.
"""

from __future__ import annotations

import functools
import random
import sys
import time
import uuid
from pathlib import Path
from typing import Any

# What the SDK's clock shows, in its time stamps and names only: 2020-12-01T00:00:00.001Z, the
# version of the pipeline definition's format.
_TIME = 1606780800.001

_uuids = random.Random(0)


def pipeline_session(boto_session: Any, bucket: str) -> Any:
    """Make a ``PipelineSession`` that reads no configuration and asks nobody for its default bucket."""
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    session = PipelineSession(
        boto_session=boto_session,
        sagemaker_client=boto_session.client("sagemaker"),
        default_bucket=bucket,
    )
    session._default_bucket = bucket
    return session


def quieten() -> None:
    """Turn off telemetry, the search for a Studio project's tags, and a session made for each step."""
    import sagemaker.core._studio as studio
    import sagemaker.core.telemetry.telemetry_logging as telemetry
    from sagemaker.mlops.workflow import _steps_compiler, function_step, steps

    telemetry._send_telemetry_request = lambda *args, **kwargs: None
    # It looks for .sagemaker-code-config in the working directory and in all above it.
    studio._find_config = lambda working_dir=None: None
    # ProcessingStep and TransformStep make a LocalSession, 0.25 s each, to read the name of a method.
    steps.LocalSagemakerClient = _LocalSagemakerClient
    # @step describes a function without a docstring by the file it is in, wherever this machine has it.
    function_step._FunctionStep.to_request = _without_its_folder(function_step._FunctionStep)
    _take_collections(_steps_compiler.StepsCompiler)


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


def still_its_clock() -> None:
    """Let the SDK, and it alone, see a clock that stands still and UUIDs that repeat.

    The SDK puts time stamps and random suffixes into names and S3 paths, which would make a new
    definition of every synth. A build function that reads the clock still reads the real one.
    Must run before the SDK is imported.
    """
    real_time, real_uuid4 = time.time, uuid.uuid4

    def sdk_time() -> float:
        return _TIME if _called_by_sdk() else real_time()

    def sdk_uuid4() -> uuid.UUID:
        return uuid.UUID(int=_uuids.getrandbits(128), version=4) if _called_by_sdk() else real_uuid4()

    time.time = sdk_time
    uuid.uuid4 = sdk_uuid4


def restart_its_uuids() -> None:
    """Begin the SDK's UUIDs anew, so that a definition does not depend on those built before it."""
    _uuids.seed(0)


def _called_by_sdk() -> bool:
    return str(sys._getframe(2).f_globals.get("__name__", "")).startswith("sagemaker.")
