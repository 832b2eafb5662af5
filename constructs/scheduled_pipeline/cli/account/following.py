"""Follow a run to its end, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.calls import listed
from scheduled_pipeline.cli.account.runs import RunRecord, StepRecord
from scheduled_pipeline.trigger.time_zone import utc_text

_PAGE = 100


@api_errors()
def read_run(client: Any, arn: str) -> RunRecord:
    """A run and its steps: `sagemaker:DescribePipelineExecution` and `ListPipelineExecutionSteps`.

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
