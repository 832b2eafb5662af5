"""The main job from end to end on a local AWS: deploy, diff, a schedule that fires, destroy, nothing left."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from local_aws.cdk_cli import CdkCli, CdkError
from local_aws.server import LocalAws, LocalAwsError

_ROOT: Final = Path(__file__).resolve().parent.parent
_APP_FILES: Final = ("cdk.json", "pipeline_defs", "stacks")
_EDITED: Final = Path("pipeline_defs/daily_processing/pipeline.py")
_BEFORE: Final = 'INSTANCE_TYPE = "ml.m5.large"'
_AFTER: Final = 'INSTANCE_TYPE = "ml.m5.xlarge"'
# A schedule that is due every minute has fired once after this long, whatever the second it was made in.
_PATIENCE_SECONDS: Final = 130
_PLAIN_WIDTH: Final = 140


class DemoError(Exception):
    """Something the demo is there to show is not so."""


def main() -> int:
    """Run the demo; returns its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=_PLAIN_WIDTH)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="scheduled-pipeline-demo-") as scratch,
            LocalAws.start() as aws,
        ):
            Demo(console, aws, Path(scratch)).run()
    except (CdkError, DemoError, LocalAwsError) as error:
        console.print(f"[bold red]The demo failed:[/] {error}")
        return 1
    return 0


class Demo:
    """The demo's steps, on a copy of the app, so that the edit it makes is not made to the project."""

    def __init__(self, console: Console, aws: LocalAws, scratch: Path) -> None:
        self._console = console
        self._aws = aws
        self._folder = scratch / "app"
        home = scratch / "home"
        for folder in (self._folder, home):
            folder.mkdir()
        for name in _APP_FILES:
            source = _ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self._folder / name)
        self._cdk = CdkCli(aws=aws, folder=self._folder, home=home, app="python3 -m local_aws.demo_app")

    def run(self) -> None:
        """Run all steps.

        Raises:
            DemoError: something is not as it should be.
            CdkError: the CDK CLI failed.
        """
        with self._step("Bootstrap the account on the local AWS"):
            self._cdk.bootstrap()
        with self._step("cdk deploy: two pipelines with their schedules"):
            self._cdk.deploy()
        self._show_schedules()
        with self._step("cdk diff: what is deployed is what is written"):
            self._expect_no_differences()
        with self._step(f"Edit {_EDITED}: {_BEFORE} becomes {_AFTER}"):
            self._edit()
            difference = self._cdk.diff("Demo/DailyProcessing", "--exclusively")
        self._show_difference(difference.returncode, difference.stdout)
        with self._step("Wait for the schedule that is due every minute"):
            execution = self._wait_for_execution()
        self._show_execution(execution)
        with self._step("cdk destroy"):
            self._destroy()
        self._show_what_is_left()

    def _destroy(self) -> None:
        """Destroy everything. SageMaker deletes no pipeline that runs, and this one may be due meanwhile."""
        try:
            self._cdk.destroy()
        except CdkError as error:
            if "has running executions" not in str(error):
                raise
            self._console.print("  the schedule was due meanwhile and the pipeline was running; once more")
            self._cdk.destroy()

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self._console.print(f"\n[bold]{title}[/] ...")
        started = time.monotonic()
        yield
        self._console.print(f"  done in {time.monotonic() - started:.1f} s")

    def _show_schedules(self) -> None:
        table = Table("Pipeline", "Schedule", "Expression", "Zone", "State")
        schedules = self._schedules()
        for schedule in schedules:
            table.add_row(
                schedule["Target"]["Arn"].rsplit("/", 1)[1],
                schedule["Name"],
                schedule["ScheduleExpression"],
                schedule["ScheduleExpressionTimezone"],
                schedule["State"],
            )
        self._console.print(table)
        pipelines = {schedule["Target"]["Arn"] for schedule in schedules}
        if (len(pipelines), len(schedules)) != (2, 3):
            raise DemoError(
                f"2 pipelines and 3 schedules should be there, got {len(pipelines)} and {len(schedules)}"
            )

    def _schedules(self) -> list[dict[str, Any]]:
        scheduler = self._aws.client("scheduler")
        return [
            scheduler.get_schedule(GroupName=summary["GroupName"], Name=summary["Name"])
            for page in scheduler.get_paginator("list_schedules").paginate()
            for summary in page["Schedules"]
        ]

    def _expect_no_differences(self) -> None:
        difference = self._cdk.diff()
        if difference.returncode != 0:
            raise DemoError(f"cdk diff shows differences right after cdk deploy:\n{difference.stdout}")
        self._console.print("  " + difference.stdout.strip().splitlines()[-1].strip())

    def _edit(self) -> None:
        path = self._folder / _EDITED
        text = path.read_text(encoding="utf-8")
        if text.count(_BEFORE) != 1:
            raise DemoError(f"{_EDITED} should contain {_BEFORE} once")
        path.write_text(text.replace(_BEFORE, _AFTER), encoding="utf-8")

    def _show_difference(self, code: int, text: str) -> None:
        of_this_stack = text[text.index("Stack Demo/DailyProcessing") :].strip()
        self._console.print(of_this_stack, markup=False)
        changed = [line for line in text.splitlines() if "ml.m5" in line]
        if code != 1 or len(changed) != 2:
            raise DemoError(f"cdk diff should show one line removed and one added, got {changed}")

    def _wait_for_execution(self) -> dict[str, Any]:
        sagemaker = self._aws.client("sagemaker")
        pipeline = next(name for name in self._aws.inventory().pipelines if "DailyProcessing" in name)
        for _ in range(_PATIENCE_SECONDS):
            executions = sagemaker.list_pipeline_executions(PipelineName=pipeline)[
                "PipelineExecutionSummaries"
            ]
            if executions:
                return dict(executions[0])
            time.sleep(1)
        raise DemoError(f"no execution of {pipeline} was started in {_PATIENCE_SECONDS} seconds")

    def _show_execution(self, execution: dict[str, Any]) -> None:
        arn = execution["PipelineExecutionArn"]
        found = self._aws.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        table = Table("Parameter", "Value", title=arn)
        parameters = {entry["Name"]: entry["Value"] for entry in found["PipelineParameters"]}
        for name, value in parameters.items():
            table.add_row(name, value)
        self._console.print(table)
        if parameters.get("LookbackDays") != "2" or "<" in parameters.get("RunDate", "<"):
            raise DemoError(f"the execution should have the schedule's parameters, got {parameters}")

    def _show_what_is_left(self) -> None:
        left = self._aws.inventory()
        counts = {
            "pipelines": left.pipelines,
            "schedules": left.schedules,
            "groups": left.schedule_groups,
            "rules": left.rules,
        }
        self._console.print(
            "\n[bold]Left behind:[/] " + ", ".join(f"{len(names)} {kind}" for kind, names in counts.items())
        )
        if any(counts.values()):
            raise DemoError(f"something was left behind: {counts}")


if __name__ == "__main__":
    sys.exit(main())
