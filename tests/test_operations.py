"""The runbook in docs/operations.md, section by section, on the local AWS; the tests run in order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aws_cdk import Stack

    from local_aws.server import LocalAws

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = {
    section.splitlines()[0]: "".join(re.findall(r"^```bash\n(.*?)^```$", section, re.M | re.S))
    for section in TEXT.split("\n## ")[1:]
}
ACCOUNT = "444455559999"
PIPELINE = "DevDailyProcessing-8689768B"
SCHEDULE = f"{PIPELINE}-Daily"
# Stands in for the AWS CLI: an operation with its parameters, --query and --output text.
AWS_CLI = """
import json, sys
import boto3, jmespath
from botocore import xform_name
service, command, *rest = sys.argv[1:]
options = dict(zip(rest[::2], rest[1::2], strict=True))
query, output = options.pop("--query", "@"), options.pop("--output", "json")
client = boto3.client(service)
model = next(
    client.meta.service_model.operation_model(name)
    for name in client.meta.service_model.operation_names
    if xform_name(name, "-") == command
)
members = {xform_name(name, "-"): (name, shape) for name, shape in model.input_shape.members.items()}
members |= {"notification-endpoint": members["endpoint"]} if "endpoint" in members else {}
convert = {"integer": int, "list": str.split}
arguments = {}
for option, value in options.items():
    name, shape = members[option.removeprefix("--")]
    arguments[name] = convert.get(shape.type_name, str)(value)
answer = jmespath.search(query, getattr(client, xform_name(model.name))(**arguments))
print(" ".join(answer) if output == "text" else json.dumps(answer, default=str))
"""


@dataclass
class Operator:
    """Somebody in a copy of the project, whose account is on the local AWS."""

    aws: LocalAws
    project: Path
    environment: dict[str, str]

    def follow(self, section: str) -> str:
        """Run the commands of a section as they stand, in one shell, and return what they print."""
        commands = SECTIONS[section]
        assert commands
        done = self.run(commands)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands in one shell."""
        # What a person is asked, nobody answers here.
        commands = commands.replace("cdk deploy", "cdk deploy --require-approval never --ci")
        commands = commands.replace("cdk destroy", "cdk destroy --force --ci")
        commands = commands.replace("npx cdk", "cdk").replace("cdk diff", "cdk diff --ci")
        return subprocess.run(
            ["bash", "-ec", commands],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def edit_stages(self, old: str, new: str) -> None:
        path = self.project / "stacks" / "stages.py"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    @property
    def states(self) -> set[str]:
        listed = self.aws.client("scheduler").list_schedules()["Schedules"]
        return {schedule["State"] for schedule in listed}

    @property
    def runs(self) -> list[dict[str, Any]]:
        client = self.aws.client("sagemaker")
        listed = client.list_pipeline_executions(PipelineName=PIPELINE)["PipelineExecutionSummaries"]
        return list(listed)


@pytest.fixture(scope="module")
def operator(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    folder = tmp_path_factory.mktemp("operations")
    project, programs = folder / "project", folder / "bin"
    project.mkdir()
    programs.mkdir()
    for name in ("app.py", "cdk.json", "stacks", "pipeline_defs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    (programs / "aws").write_text(f"#!{sys.executable}\n{AWS_CLI}", encoding="utf-8")
    (programs / "aws").chmod(0o755)
    path = [programs, Path(sys.executable).parent, ROOT / "node_modules" / ".bin"]
    aws = replace(local_aws, account=ACCOUNT)
    environment = {
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
        "HOME": str(folder),
        **aws.environment(),
    }
    operator = Operator(aws, project, environment)
    bootstrap = ["cdk", "bootstrap", f"aws://{ACCOUNT}/us-east-1", "--ci"]
    subprocess.run(bootstrap, cwd=project, env=environment, capture_output=True, check=True)
    return operator


def test_every_section_with_commands_has_a_test() -> None:
    tested = set(re.findall(r'follow\("([^"]+)"\)', Path(__file__).read_text(encoding="utf-8")))
    assert tested == {section for section, commands in SECTIONS.items() if commands}


def test_what_is_watched(new_stack: Callable[..., Stack], small_definition: dict[str, Any]) -> None:
    from aws_cdk.assertions import Template

    from scheduled_pipeline import PipelineDefinition

    (code,) = re.findall(r"^```py\n(.*?)^```$", TEXT, re.M | re.S)
    stack = new_stack()
    exec(code, {"stack": stack, "definition": PipelineDefinition.from_json(small_definition)})
    template = Template.from_stack(stack)
    names = [
        alarm["Properties"]["AlarmName"]
        for alarm in template.find_resources("AWS::CloudWatch::Alarm").values()
    ]
    for name in re.findall(r"^\| alarm `\.\.\.(-\w+)`", TEXT, re.M):
        assert any(one.endswith(name) for one in names), name
    assert len(names) == 5
    template.resource_count_is("AWS::CloudWatch::Dashboard", 1)
    template.resource_count_is("Custom::StraySweep", 1)


def test_deploy(operator: Operator) -> None:
    assert SCHEDULE in operator.follow("Deploy")
    assert operator.states == {"ENABLED"}
    (subscription,) = operator.aws.client("sns").list_subscriptions()["Subscriptions"]
    assert subscription["Endpoint"] == "team@example.com"


def test_pause(operator: Operator) -> None:
    operator.edit_stages("schedules_enabled=True", "schedules_enabled=False")
    operator.follow("Pause")
    assert operator.states == {"DISABLED"}


def test_resume(operator: Operator) -> None:
    operator.edit_stages("schedules_enabled=False", "schedules_enabled=True")
    assert "ENABLED" in operator.follow("Resume")
    assert operator.states == {"ENABLED"}


def test_what_was_changed_by_hand(operator: Operator) -> None:
    """Nothing at first; then what two hands have done is shown, and put back."""
    operator.follow("What was changed by hand")
    scheduler, events = operator.aws.client("scheduler"), operator.aws.client("events")
    (listed,) = scheduler.list_schedules(NamePrefix=SCHEDULE)["Schedules"]
    kept = scheduler.get_schedule(Name=SCHEDULE, GroupName=listed["GroupName"])
    names = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: kept[name] for name in names}, State="DISABLED")
    events.disable_rule(Name=f"{PIPELINE}-Endings")
    _, show, put_back = SECTIONS["What was changed by hand"].splitlines()
    shown = operator.run(show)
    assert shown.returncode == 1, shown.stderr
    assert shown.stdout.count("State\tENABLED\tDISABLED") == 2
    assert operator.run(put_back).returncode == 0
    assert operator.run(show).returncode == 0
    assert operator.states == {"ENABLED"}


def test_a_failed_run(operator: Operator) -> None:
    started = operator.aws.client("sagemaker").start_pipeline_execution(
        PipelineName=PIPELINE,
        ClientRequestToken="t" * 32,
        PipelineParameters=[{"Name": "RunDate", "Value": "2027-01-04T06:30:00Z"}],
    )
    operator.aws.finish(started["PipelineExecutionArn"], status="Failed", failure_reason="no such bucket")
    assert "no such bucket" in operator.follow("A failed run")
    assert sorted(run["PipelineExecutionStatus"] for run in operator.runs) == ["Failed", "Succeeded"]


def test_a_missed_start(operator: Operator) -> None:
    printed = operator.follow("A missed start")
    assert "ENABLED" in printed
    assert "America/New_York" in printed


def test_the_dead_letter_queue(operator: Operator) -> None:
    sqs = operator.aws.client("sqs")
    (url,) = [url for url in sqs.list_queues()["QueueUrls"] if "DailyProcessing" in url]
    attributes = {"ERROR_CODE": "AccessDeniedException", "SCHEDULED_TIME": "2027-01-05T06:30:00Z"}
    sqs.send_message(
        QueueUrl=url,
        MessageBody="{}",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )
    before = len(operator.runs)
    printed = operator.follow("The dead-letter queue")
    assert "2027-01-05T06:30:00Z" in printed
    assert len(operator.runs) == before + 1
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_orphans(operator: Operator) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = operator.aws.client("iam").create_role(RoleName="stray", AssumeRolePolicyDocument=document)["Role"]
    operator.aws.client("scheduler").create_schedule(
        Name="left-behind",
        ScheduleExpression="cron(0 3 1 1 ? 2099)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/gone", "RoleArn": role["Arn"]},
    )
    assert "left-behind" in operator.follow("Orphans")
    assert "default/left-behind" not in operator.aws.inventory().schedules


def test_take_it_down(operator: Operator) -> None:
    for run in operator.runs:
        operator.aws.finish(run["PipelineExecutionArn"])
    write_what_a_run_writes(operator.aws)
    operator.follow("Take it down")
    left = operator.aws.inventory()
    assert (left.pipelines, left.schedules, left.topics, left.alarms) == ((), (), (), ())
    assert [bucket for bucket in left.buckets if not bucket.startswith("cdk-")] == []
    assert (left.functions, left.log_groups) == ((), ())


def write_what_a_run_writes(aws: LocalAws) -> None:
    """An object twice, and one that is deleted; each request puts a line into the access log."""
    s3 = aws.client("s3")
    (bucket,) = (name for name in aws.inventory().buckets if "dev-artifacts-artifacts" in name)
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="models/model.tar.gz", Body=body)
    s3.delete_object(Bucket=bucket, Key="models/model.tar.gz")
