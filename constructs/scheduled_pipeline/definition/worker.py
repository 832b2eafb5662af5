"""The child process: runs build functions where there is no network, no configuration and no CDK.

It reads one JSON request a line from standard input and writes one JSON answer a line to what was
its standard output; whatever the SDK or the user prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from scheduled_pipeline.definition import placeholders, sdk
from scheduled_pipeline.definition.context import PipelineContext
from scheduled_pipeline.definition.offline import (
    NetworkCallRefusedError,
    OfflineAws,
    refuse_sockets,
    user_frames,
)


@dataclass(frozen=True)
class Request:
    """What the parent asks for; the fields are those of ``PipelineContext`` and ``FunctionReference``."""

    module: str
    function: str
    region: str
    partition: str
    pipeline_name: str
    values: dict[str, Any]
    staging: str


class BuildError(Exception):
    """The build function cannot be found or returned something else than a pipeline."""


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        answer = worker.answer(Request(**json.loads(line)))
        sys.stdout.flush()
        _write(answers, answer)


def _write(stream: IO[str], answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


class Worker:
    """Builds pipelines one after the other, with one boto3 session a Region for all of them."""

    def __init__(self) -> None:
        self._aws = OfflineAws(staging=Path())
        self._boto_sessions: dict[str, Any] = {}
        refuse_sockets(lambda: self._aws)
        sdk.still_its_clock()

    def answer(self, request: Request) -> dict[str, Any]:
        """Build one pipeline; an error is an answer too, with the user's part of the traceback."""
        self._aws = OfflineAws(staging=Path(request.staging), partition=request.partition)
        os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = request.region
        random.seed(0)
        sdk.restart_its_uuids()
        try:
            with self._aws.installed():
                return self._build(request)
        except BuildError as error:
            return {"error": str(error)}
        except (Exception, SystemExit) as error:
            return {"error": self._explain(error)}

    def _build(self, request: Request) -> dict[str, Any]:
        build = _find(request)
        sdk.quieten()
        pipeline = build(self._context(request))
        if not callable(getattr(pipeline, "definition", None)) or not hasattr(pipeline, "steps"):
            raise BuildError(
                f"must return a Pipeline of the SageMaker Python SDK, returned {pipeline!r:.200}"
            )
        return {
            "definition": pipeline.definition(),
            "pipeline_name": pipeline.name,
            "uploads": [
                {"bucket": entry.bucket, "key": entry.key, "sha256": entry.sha256}
                for entry in self._aws.recorded.values()
            ],
        }

    def _context(self, request: Request) -> PipelineContext:
        return PipelineContext(
            session=sdk.pipeline_session(self._boto_session(request.region), placeholders.ARTIFACT_BUCKET),
            role=placeholders.role(request.partition),
            bucket=placeholders.ARTIFACT_BUCKET,
            region=request.region,
            account=placeholders.ACCOUNT,
            partition=request.partition,
            pipeline_name=request.pipeline_name,
            values=request.values,
        )

    def _boto_session(self, region: str) -> Any:
        """Return the session of ``region``, whose clients are made once: making them is the slow part."""
        if region not in self._boto_sessions:
            import boto3

            session = boto3.Session(region_name=region)
            session.client = _memoised(session.client)
            session.resource = _memoised(session.resource)
            self._boto_sessions[region] = session
        return self._boto_sessions[region]

    def _explain(self, error: BaseException) -> str:
        """Return the error with the user's part of the traceback; a refused call comes first."""
        frames = user_frames(traceback.extract_tb(error.__traceback__))
        refused = _find_refusal(error)
        headline = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if refused is None and self._aws.refusals:
            headline += f"\n(before that, the offline AWS refused {self._aws.refusals[0]})"
        elif refused is not None:
            headline = str(refused)
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
    for part in request.function.split("."):
        if not hasattr(found, part):
            raise BuildError(f"cannot be found: {request.module} has no {request.function!r}")
        found = getattr(found, part)
    if not callable(found):
        raise BuildError(f"is not a function, but {found!r:.200}")
    return found  # type: ignore[no-any-return]


def _find_refusal(error: BaseException | None) -> NetworkCallRefusedError | None:
    while error is not None and not isinstance(error, NetworkCallRefusedError):
        error = error.__cause__ or error.__context__
    return error


def _memoised(make: Callable[..., Any]) -> Callable[..., Any]:
    made: dict[str, Any] = {}

    def memoised(*args: Any, **kwargs: Any) -> Any:
        key = repr(
            (
                args,
                sorted((name, vars(value) if name == "config" else value) for name, value in kwargs.items()),
            )
        )
        if key not in made:
            made[key] = make(*args, **kwargs)
        return made[key]

    return memoised
