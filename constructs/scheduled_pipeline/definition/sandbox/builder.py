"""Runs build functions, in the child process, where there is no network, no configuration and no CDK."""

from __future__ import annotations

import importlib
import os
import random
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.context import PipelineContext
from scheduled_pipeline.definition.sandbox import sdk_patches
from scheduled_pipeline.definition.sandbox.completion import Built
from scheduled_pipeline.definition.sandbox.guard.ways_out import refuse_ways_out
from scheduled_pipeline.definition.sandbox.offline_aws import (
    FROM_CONTEXT,
    NetworkCallRefusedError,
    OfflineAws,
    user_frames,
)
from scheduled_pipeline.definition.sandbox.protocol import Failed, Request
from scheduled_pipeline.definition.sandbox.sdk import function_steps


class BuildError(Exception):
    """The build function cannot be found or returned something else than a pipeline."""


class Builder:
    """Builds pipelines of one Region, with a boto3 session whose clients may be made ahead of them."""

    def __init__(self) -> None:
        self._aws = OfflineAws(staging=Path())
        self._session: Any = None
        refuse_ways_out(lambda: self._aws)
        sdk_patches.take_its_clock()

    def make_clients(self) -> None:
        """Make the clients that a pipeline and its session need: that takes as long as many a definition."""
        from sagemaker.mlops.workflow.pipeline import Pipeline

        session = self._boto_session()
        for service in ("iam", "sts"):
            session.client(service)
        Pipeline(
            "clients", sagemaker_session=sdk_patches.pipeline_session(session, placeholders.ARTIFACT_BUCKET)
        )

    def build(self, request: Request) -> Built | Failed:
        """Build one pipeline, or say why that failed, with the user's part of the traceback."""
        self._aws = OfflineAws(staging=Path(request.staging), partition=request.partition)
        random.seed(0)
        sdk_patches.restart_its_clock()
        try:
            with self._aws.installed():
                return self._build(request)
        except BuildError as error:
            return Failed(str(error))
        except BaseException as error:  # SystemExit and KeyboardInterrupt are slips of the function, too
            return Failed(self._explain(error))

    def _build(self, request: Request) -> Built:
        build = _find(request)
        sdk_patches.quieten()
        function_steps.prepare()
        context = self._context(request)
        self._aws.answers = context.answers
        pipeline = build(context)
        if not callable(getattr(pipeline, "definition", None)) or not hasattr(pipeline, "steps"):
            raise BuildError(
                f"must return a Pipeline of the SageMaker Python SDK, returned {pipeline!r:.200}"
            )
        definition = pipeline.definition()
        if self._aws.clashes:
            raise BuildError("; ".join([*self._aws.clashes, "give each its own base_job_name or key"]))
        return Built(
            definition=definition,
            pipeline_name=pipeline.name,
            values_read=frozenset(context.values_read),
            uploads=tuple(self._aws.recorded.values()),
        )

    def _context(self, request: Request) -> PipelineContext:
        return PipelineContext(
            session=sdk_patches.pipeline_session(self._boto_session(), placeholders.ARTIFACT_BUCKET),
            role=placeholders.role(request.partition),
            bucket=placeholders.ARTIFACT_BUCKET,
            region=request.region,
            account=placeholders.ACCOUNT,
            partition=request.partition,
            pipeline_name=request.pipeline_name,
            values=request.values,
        )

    def _boto_session(self) -> Any:
        """Return the session of all pipelines, whose clients are made once: making them is the slow part."""
        if self._session is None:
            import boto3

            self._session = boto3.Session()
            self._session.client = _memoised(self._session.client)
            self._session.resource = _memoised(self._session.resource)
        return self._session

    def _explain(self, error: BaseException) -> str:
        """Return the error with the user's part of the traceback; a refused call comes first."""
        frames = user_frames(traceback.extract_tb(error.__traceback__))
        refused = _find_refusal(error)
        headline = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if refused is None and self._aws.refusals:
            headline += f"\n(before that, the offline AWS refused {self._aws.refusals[0]})"
        elif refused is not None:
            headline = str(refused)
        elif _is_of_the_environment(error):
            headline += f"\n{_NO_ENVIRONMENT}"
        elif _OF_THE_NETWORK.search(headline):
            headline += f"\n{_NO_NETWORK}"
        if isinstance(error, SyntaxError):
            headline = "".join(traceback.format_exception_only(error)).rstrip()
        trace = "".join(traceback.format_list(frames))
        return f"raised\n{trace}{headline}" if trace else f"failed: {headline}"


def _find(request: Request) -> Callable[[PipelineContext], Any]:
    try:
        found: Any = importlib.import_module(request.module)
    except ModuleNotFoundError as error:
        if error.name is None or not (request.module + ".").startswith(error.name + "."):
            raise
        raise BuildError(f"cannot be imported: there is no module {error.name!r}") from None
    if not hasattr(found, request.function):
        raise BuildError(f"cannot be found: {request.module} has no {request.function!r}")
    found = getattr(found, request.function)
    if not callable(found):
        raise BuildError(f"is not a function, but {found!r:.200}")
    return found  # type: ignore[no-any-return]


_NO_ENVIRONMENT = (
    "the environment is not passed to build functions, as it differs from machine to machine; give the "
    "construct values={'NAME': ...} and read context.value('NAME')"
)


# What libraries in C and C++ say when the kernel gives them no way out: curl's, the C library's.
_OF_THE_NETWORK = re.compile(
    r"network is unreachable|could(n.t| not) (connect|resolve)|failed to connect|name resolution",
    re.IGNORECASE,
)
_NO_NETWORK = f"a pipeline is built without a network; {FROM_CONTEXT}"


def _is_of_the_environment(error: BaseException) -> bool:
    """Whether an error says that there is no such variable in the environment."""
    trace = traceback.extract_tb(error.__traceback__)
    return isinstance(error, KeyError) and bool(trace) and trace[-1].filename in {os.__file__, "<frozen os>"}


def _find_refusal(error: BaseException | None) -> NetworkCallRefusedError | None:
    """Return the refusal that an error is or comes from; errors may be each other's causes."""
    waiting, seen = [error], set()
    while waiting:
        error = waiting.pop()
        if isinstance(error, NetworkCallRefusedError):
            return error
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            waiting += [error.__context__, error.__cause__]
    return None


def _memoised(make: Callable[..., Any]) -> Callable[..., Any]:
    made: dict[str, Any] = {}

    def memoised(*args: Any, **kwargs: Any) -> Any:
        # What has attributes, as a ``Config``, is known by them, and not by where it is in memory.
        plain = {name: getattr(value, "__dict__", value) for name, value in kwargs.items()}
        key = repr(([getattr(value, "__dict__", value) for value in args], sorted(plain.items())))
        if key not in made:
            made[key] = make(*args, **kwargs)
        return made[key]

    return memoised
