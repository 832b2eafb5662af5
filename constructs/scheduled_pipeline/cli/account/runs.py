"""A run of a pipeline, which SageMaker calls an execution, and its steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.calls import listed
from scheduled_pipeline.trigger.sagemaker_events import STOPPED, has_ended, has_failed
from scheduled_pipeline.trigger.time_zone import utc_text

_PAGE = 100
_HOW = {STOPPED: "was stopped", "Failed": "failed"}


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """A step of a run.

    Attributes:
        name: of the step.
        status: as SageMaker writes it, ``Starting`` to ``Succeeded``.
        start: aware; nothing before it has begun.
        end: aware; nothing before it has ended.
        failure_reason: why it failed, if it did.
        from_cache: whether its result was taken from an earlier run.
    """

    name: str
    status: str
    start: datetime | None = None
    end: datetime | None = None
    failure_reason: str | None = None
    from_cache: bool = False

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """The step in an answer of ListPipelineExecutionSteps."""
        return cls(
            name=answer["StepName"],
            status=answer["StepStatus"],
            start=_moment(answer.get("StartTime")),
            end=_moment(answer.get("EndTime")),
            failure_reason=answer.get("FailureReason") or None,
            from_cache=bool(answer.get("CacheHitResult")),
        )

    @property
    def summary(self) -> str:
        """Its status, and what there is to say of it."""
        cached = ", from the cache" if self.from_cache and self.status == "Succeeded" else ""
        return f"{self.status}{cached}{f': {self.failure_reason}' if self.failure_reason else ''}"

    def to_json(self) -> dict[str, Any]:
        """The step as the commands write it."""
        return {
            "name": self.name,
            "status": self.status,
            "start": moment_text(self.start),
            "end": moment_text(self.end),
            "failureReason": self.failure_reason,
        }


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run of a pipeline.

    Attributes:
        arn: of the execution.
        status: as SageMaker writes it, ``Executing`` to ``Succeeded``.
        display_name: given at the start, or made by SageMaker.
        start: aware.
        end: aware, when it last changed; nothing before it has ended.
        failure_reason: of the whole run.
        steps: those that have begun, if they have been asked for.
    """

    arn: str
    status: str
    display_name: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    failure_reason: str | None = None
    steps: tuple[StepRecord, ...] = ()

    @classmethod
    def of_summary(cls, answer: Mapping[str, Any]) -> Self:
        """The run in an answer of ListPipelineExecutions, which has no end."""
        return cls(
            arn=answer["PipelineExecutionArn"],
            status=answer["PipelineExecutionStatus"],
            display_name=answer.get("PipelineExecutionDisplayName"),
            start=_moment(answer.get("StartTime")),
            failure_reason=answer.get("PipelineExecutionFailureReason") or None,
        )

    @classmethod
    def of_description(cls, answer: Mapping[str, Any]) -> Self:
        """The run in an answer of DescribePipelineExecution."""
        status = answer["PipelineExecutionStatus"]
        return cls(
            arn=answer["PipelineExecutionArn"],
            status=status,
            display_name=answer.get("PipelineExecutionDisplayName"),
            start=_moment(answer.get("CreationTime")),
            end=_moment(answer.get("LastModifiedTime")) if has_ended(status) else None,
            failure_reason=answer.get("FailureReason") or None,
        )

    @property
    def ended(self) -> bool:
        """Whether its status is final."""
        return has_ended(self.status)

    @property
    def failed(self) -> bool:
        """Whether it has ended and did not succeed: it failed, or was stopped."""
        return has_failed(self.status)

    @property
    def failure(self) -> str | None:
        """Why it did not succeed, in one sentence; nothing while it runs and when it did."""
        if not self.failed:
            return None
        failed = [step for step in self.steps if step.status == "Failed"]
        reasons = [f"step {step.name}: {step.failure_reason or 'no reason given'}" for step in failed]
        reason = "; ".join(reasons) or self.failure_reason
        how = _HOW.get(self.status, f"failed ({self.status})")
        return f"the run {self.arn} {how}{f': {reason}' if reason else ''}"

    def duration(self, now: datetime) -> timedelta | None:
        """How long it took, or has taken until ``now``, in whole seconds."""
        if self.start is None:
            return None
        return timedelta(seconds=max(0, round(((self.end or now) - self.start).total_seconds())))

    def with_steps(self, steps: tuple[StepRecord, ...]) -> Self:
        """The same run with its steps."""
        return replace(self, steps=steps)


def moment_text(moment: datetime | None) -> str | None:
    """A moment in UTC, such as ``2027-01-04T14:00:00Z``."""
    return None if moment is None else utc_text(moment)


def _moment(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


@api_errors()
def read_run(client: Any, arn: str) -> RunRecord:
    """A run and its steps: ``sagemaker:DescribePipelineExecution`` and ``ListPipelineExecutionSteps``.

    Args:
        client: of SageMaker.
        arn: of the execution.

    Raises:
        AwsError: AWS refused a call.
    """
    # The run first: once it has ended, its steps have.
    run = RunRecord.of_description(client.describe_pipeline_execution(PipelineExecutionArn=arn))
    steps = listed(
        client.list_pipeline_execution_steps,
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
        MaxResults=_PAGE,
    )
    return run.with_steps(tuple(StepRecord.of(step) for step in steps))


def follow(client: Any, arn: str, *, poll_seconds: float, tell: Callable[[str], None]) -> RunRecord:
    """Look at a run until it has ended, and tell of each change of a step and of the run.

    Args:
        client: of SageMaker.
        arn: of the execution.
        poll_seconds: from one look to the next.
        tell: is given one line for each change: UTC, the step or nothing, and the status.

    Raises:
        AwsError: AWS refused a call, or could not be asked; the run goes on.
    """
    told: dict[str, str] = {}
    while True:
        run = read_run(client, arn)
        lines = {f"step {step.name}": step.summary for step in run.steps} | {"run": run.status}
        for name, text in lines.items():
            if told.get(name) != text:
                tell(f"{utc_text(datetime.now(UTC))}  {name}  {text}")
        told = lines
        if run.ended:
            return run
        time.sleep(poll_seconds)
