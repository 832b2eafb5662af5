"""The worked example of docs/migrating-from-put-triggers.md, run step by step; the tests run in order.

The triggers are made by the SageMaker SDK itself, deployed by the CDK's own command, on the local AWS.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_aws.server import LocalAws

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs" / "migrating-from-put-triggers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
FILES = {block.splitlines()[0].removeprefix("# "): block for language, block in BLOCKS if language == "py"}
COMMANDS = [line for language, block in BLOCKS if language == "bash" for line in block.splitlines()]
ACCOUNT = "555566667777"
HANDOVER = datetime(2035, 1, 1, tzinfo=UTC)
# What the example takes as given: the pipeline's object, built as ever, and two roles.
GIVEN = """
from types import SimpleNamespace
import boto3
import sagemaker.core.telemetry.telemetry_logging as telemetry
from sagemaker.core.workflow.pipeline_context import PipelineSession
from pipeline_defs.training.pipeline import build

telemetry._send_telemetry_request = lambda *args, **kwargs: None
execution_role = scheduler_role = "{role}"
session = PipelineSession(boto_session=boto3.Session(), default_bucket="not-used")
pipeline = build(SimpleNamespace(
    account="{account}", region="us-east-1", role=execution_role, session=session, pipeline_name="training"
))
"""


@dataclass
class Project:
    """The folder of the example, and what its steps came to."""

    aws: LocalAws
    folder: Path
    environment: Mapping[str, str]
    old: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: dict[str, Any] = field(default_factory=dict)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
        return done

    def command(self, words: str) -> subprocess.CompletedProcess[str]:
        """Run the command of the document that has these words."""
        (command,) = [command for command in COMMANDS if words in command]
        flags = " --require-approval never --ci" if "cdk deploy" in command else ""
        return self.run("bash", "-c", command + flags)

    def python(self, name: str) -> None:
        """Run a file of the document, with what it takes as given."""
        role = self.aws.client("iam").get_role(RoleName="by-hand")["Role"]["Arn"]
        code = GIVEN.format(role=role, account=ACCOUNT) + FILES[name]
        self.run(sys.executable, "-W", "ignore", "-c", code)

    def schedules(self) -> dict[str, dict[str, Any]]:
        """All that there are, by name, as GetSchedule describes them."""
        scheduler = self.aws.client("scheduler")
        answers = (
            scheduler.get_schedule(GroupName=summary["GroupName"], Name=summary["Name"])
            for summary in scheduler.list_schedules()["Schedules"]
        )
        return {
            answer["Name"]: {name: value for name, value in answer.items() if name != "ResponseMetadata"}
            for answer in answers
        }

    def fire(self, schedule: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """Deliver a schedule; the pipeline that was started and its parameters."""
        due = datetime(2035, 1, 8, 3, 0, tzinfo=UTC)
        delivery = self.aws.deliver(schedule["Name"], group=schedule["GroupName"], scheduled_time=due)
        assert delivery.error_code is None, delivery
        assert delivery.execution_arn is not None
        found = self.aws.client("sagemaker").list_pipeline_parameters_for_execution(
            PipelineExecutionArn=delivery.execution_arn
        )["PipelineParameters"]
        self.aws.finish(delivery.execution_arn)
        parameters = {parameter["Name"]: parameter["Value"] for parameter in found}
        return delivery.execution_arn.partition("/execution/")[0], parameters


@pytest.fixture(scope="module")
def project(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Project:
    from local_aws.cdk_cli import CdkCli

    folder, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    aws = replace(local_aws, account=ACCOUNT)
    for name in ("pipeline_defs/training/pipeline.py", "app.py"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[name], encoding="utf-8")
    cdk = (ROOT / "cdk.json").read_text(encoding="utf-8")
    (folder / "cdk.json").write_text(cdk, encoding="utf-8")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    CdkCli(aws=aws, folder=folder, home=home).bootstrap()
    programs = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]]
    environment = {
        "PATH": os.pathsep.join(programs),
        "HOME": str(home),
        "PYTHONPATH": str(folder),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # The SDK wants SageMaker itself to be allowed to assume the role of a schedule.
        "SAGEMAKER_VALIDATE_ROLE": "false",
        **aws.environment(),
    }
    return Project(aws, folder, environment)


def test_the_sdk_makes_three_schedules_that_nothing_owns(project: Project) -> None:
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        '"Principal": {"Service": ["scheduler.amazonaws.com", "sagemaker.amazonaws.com"]}}]}'
    )
    allow = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", '
        '"Action": "sagemaker:StartPipelineExecution"}]}'
    )
    iam = project.aws.client("iam")
    iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="by-hand", PolicyName="Start", PolicyDocument=allow)
    project.python("put_triggers.py")
    project.old = project.schedules()
    assert sorted(project.old) == ["training-launch", "training-nightly", "training-often"]
    assert {schedule["GroupName"] for schedule in project.old.values()} == {"default"}


def test_adopt_writes_the_code_that_the_document_shows(project: Project) -> None:
    done = project.command(" adopt ")
    code = (project.folder / "adopted.py").read_text(encoding="utf-8")
    assert code == FILES["adopted.py"].split("\n", 1)[1]
    assert "3 triggers of training in us-east-1 written as code." in done.stderr
    assert (
        "scheduled-pipeline orphans --pipeline training --reason unowned --delete --region us-east-1"
        in done.stderr
    )
    assert project.schedules() == project.old


def test_the_stack_is_deployed_in_the_place_of_the_old_pipeline(project: Project) -> None:
    project.started = {name: project.fire(schedule) for name, schedule in project.old.items()}
    project.python("delete_pipeline.py")
    assert project.aws.inventory().pipelines == ()
    project.command("cdk deploy")
    assert project.aws.inventory().pipelines == ("training",)
    assert len(project.schedules()) == 6


@pytest.mark.parametrize("name", ["training-launch", "training-nightly", "training-often"])
def test_a_new_schedule_is_as_the_old_one(project: Project, name: str) -> None:
    old = project.old[name]
    key = {"launch": "Launch", "nightly": "Nightly", "often": "Often"}[name.removeprefix("training-")]
    new = project.schedules()[f"training-Training{key}"]
    same = ("ScheduleExpression", "ScheduleExpressionTimezone", "State", "FlexibleTimeWindow")
    assert {one: new[one] for one in same} == {one: old[one] for one in same}
    assert new.get("EndDate") == old.get("EndDate")
    assert new["Target"]["Arn"] == old["Target"]["Arn"]
    if old["ScheduleExpression"].startswith("at("):
        assert "StartDate" not in new  # it has no effect there
    else:
        assert new["StartDate"] == max(old["StartDate"], HANDOVER)
    assert project.fire(new) == project.started[name]


def test_the_list_tells_old_from_new(project: Project) -> None:
    names, *lines = (line.split("\t") for line in project.command(" list").stdout.splitlines())
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    assert {(row["NAME"] in project.old, row["OWNER"], row["EXISTS"]) for row in rows} == {
        (True, "-", "yes"),
        (False, "Training", "yes"),
    }


def test_the_old_triggers_are_deleted_and_nothing_else(project: Project) -> None:
    project.command("--delete")
    assert sorted(project.schedules()) == [
        f"training-Training{key}" for key in ("Launch", "Nightly", "Often")
    ]
    assert project.command("--fail-on-found").stdout.count("\n") <= 1


def test_there_is_nothing_to_adopt_any_more(project: Project) -> None:
    done = project.run("scheduled-pipeline", "adopt", "training")
    assert done.stdout == ""
    assert done.stderr == (
        "There is nothing to adopt of training in us-east-1: a stack owns all that starts it.\n"
    )


def test_every_block_of_the_document_is_run() -> None:
    assert {language for language, _ in BLOCKS} == {"bash", "py"}
    assert len(COMMANDS) == 5
    assert sorted(FILES) == [
        "adopted.py",
        "app.py",
        "delete_pipeline.py",
        "pipeline_defs/training/pipeline.py",
        "put_triggers.py",
    ]
