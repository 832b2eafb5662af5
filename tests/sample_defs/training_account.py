"""An account with the pipeline Training, whose runs end when they are told to, and the command in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from scheduled_pipeline.cli.account import runs as run_records
from scheduled_pipeline.cli.main import app

if TYPE_CHECKING:
    from local_aws import LocalAws

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "Date", "Type": "String"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Mode", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ],
    "Steps": [
        {"Name": name, "Type": "Processing", "Arguments": {}} for name in ("Prepare", "Train", "Check")
    ],
}
ENOUGH = ("-p", "Date=2027-01-04")
"""The parameter that has no default."""


@dataclass
class Pauses:
    """Stands in for the module ``time`` where a run is followed."""

    during: Callable[[], object]

    def sleep(self, seconds: float) -> None:
        assert seconds == 5.0
        self.during()


@dataclass
class TrainingAccount:
    """See this module."""

    aws: LocalAws

    @property
    def sagemaker(self) -> Any:
        return self.aws.client("sagemaker")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments])

    def executions(self) -> list[dict[str, Any]]:
        found = self.sagemaker.list_pipeline_executions(PipelineName="Training")
        return found["PipelineExecutionSummaries"]  # type: ignore[no-any-return]

    def wait(self, ending: Callable[[str], object], *arguments: str) -> Result:
        """Run ``start --wait`` while another thread ends the run, as soon as the command has seen it."""
        seen = threading.Event()

        def end() -> None:
            if seen.wait(30):
                ending(self.executions()[0]["PipelineExecutionArn"])

        def pause() -> None:
            seen.set()
            time.sleep(0.02)

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run_records, "time", Pauses(pause))
            result = self.run("start", "Training", *ENOUGH, "--wait", *arguments)
        thread.join()
        return result
