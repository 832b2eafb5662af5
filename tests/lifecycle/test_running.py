"""Changes while the pipeline runs: SageMaker does not delete a pipeline that is running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from fault_matrix import Row


@contextmanager
def running(cloud: Any, pipeline: str = "Lifecycle") -> Iterator[None]:
    """Keep an execution of a pipeline running: on the local AWS each lasts a second."""
    sagemaker, stop = cloud.aws.client("sagemaker"), threading.Event()

    def run() -> None:
        while not stop.wait(0.2):
            sagemaker.start_pipeline_execution(PipelineName=pipeline)

    sagemaker.start_pipeline_execution(PipelineName=pipeline)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_destroy_while_the_pipeline_runs_and_again_afterwards(cloud: Any, row: Row) -> None:
    """The triggers are gone after the first try; the pipeline waits for the second."""
    from fault_matrix import end_executions

    from local_aws.cdk_cli import CdkError

    cloud.be(cloud.base)
    with running(cloud), pytest.raises(CdkError, match="has running executions"):
        cloud.destroy()
    assert cloud.stack_status() == "DELETE_FAILED"
    assert cloud.names("schedules") == []
    assert cloud.names("pipelines") == ["Lifecycle"]
    end_executions(cloud.aws)
    cloud.destroy()
    row.settle()
    assert row.after == {}


def test_a_rename_while_the_pipeline_runs_leaves_it_without_triggers(cloud: Any, row: Row) -> None:
    """CloudFormation tries to delete what it has replaced three times, and then lets it be."""
    cloud.be(cloud.base)
    with running(cloud):
        cloud.deploy(replace(cloud.base, pipeline_name="Renamed"))
    assert cloud.stack_status() == "UPDATE_COMPLETE"
    assert cloud.names("schedules") == ["Renamed-Nightly", "Renamed-Weekly"]
    row.settle(left=["pipelines: Lifecycle"])
    cloud.aws.client("sagemaker").delete_pipeline(PipelineName="Lifecycle")
    with pytest.raises(ClientError, match="does not exist"):
        cloud.aws.client("sagemaker").describe_pipeline(PipelineName="Lifecycle")
