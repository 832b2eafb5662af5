"""Small cloud assemblies, written as the CDK writes them, and the command run on them."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import JSONFileLoader
from typer.testing import CliRunner

from scheduled_pipeline.cli.main import app

if TYPE_CHECKING:
    from faulty_endpoint import FaultyEndpoint
    from operator_account import OperatorAccount
    from training_account import TrainingAccount

    from local_aws import LocalAws

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/training"

_accounts = count(300_000_000_001)
_operator_accounts = count(400_000_000_001)

Resources = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def _service_models() -> Iterator[None]:
    """Read the model of a service once: each command has a session of its own, which would read it again."""
    read = JSONFileLoader.load_file
    known = cache(lambda path: read(JSONFileLoader(), path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: known(path))
        yield


@pytest.fixture
def schedule() -> Callable[..., dict[str, Any]]:
    """Make the resource of a schedule that starts a pipeline; keywords are properties beside the usual."""

    def make(expression: object = "cron(0 3 * * ? *)", **properties: object) -> dict[str, Any]:
        usual = {"Name": "Nightly", "ScheduleExpression": expression, "Target": {"Arn": ARN}}
        return {"Type": "AWS::Scheduler::Schedule", "Properties": {**usual, **properties}}

    return make


@pytest.fixture
def rule() -> Callable[..., dict[str, Any]]:
    """Make the resource of a rule on a schedule that starts a pipeline."""

    def make(expression: object = "cron(0 3 * * ? *)", **properties: object) -> dict[str, Any]:
        usual = {"ScheduleExpression": expression, "Targets": [{"Arn": ARN, "Id": "Target0"}]}
        return {"Type": "AWS::Events::Rule", "Properties": {**usual, **properties}}

    return make


@pytest.fixture
def write_assembly(tmp_path: Path) -> Callable[..., Path]:
    """Write an assembly with one stack, and other parts of its template as keywords."""

    def write(
        resources: Resources,
        *,
        folder: str = "cdk.out",
        stack: str = "Stack",
        environment: str = "aws://unknown-account/eu-west-1",
        **parts: object,
    ) -> Path:
        where = tmp_path / folder
        where.mkdir(parents=True, exist_ok=True)
        artifact = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": "Stack.template.json", "stackName": stack},
        }
        manifest = {
            "version": "55.0.0",
            "artifacts": {"StackArtifact": artifact, "Tree": {"type": "cdk:tree"}},
        }
        (where / "manifest.json").write_text(json.dumps(manifest))
        (where / "Stack.template.json").write_text(json.dumps({"Resources": resources, **parts}))
        return where

    return write


@pytest.fixture
def next_runs() -> Callable[..., Any]:
    """Run ``scheduled-pipeline next`` on an assembly, after a fixed moment unless told otherwise."""

    def run(assembly: Path, *options: str, after: str = "2027-01-01T00:00:00Z") -> Any:
        return CliRunner().invoke(app, ["next", "--assembly", str(assembly), "--after", after, *options])

    return run


@pytest.fixture
def rows(next_runs: Callable[..., Any]) -> Callable[..., list[dict[str, str]]]:
    """Run the command into a pipe and read its lines, by the names of their columns."""

    def read(assembly: Path, *options: str, **others: str) -> list[dict[str, str]]:
        names, *lines = (
            line.split("\t") for line in next_runs(assembly, *options, **others).stdout.splitlines()
        )
        return [dict(zip(names, line, strict=True)) for line in lines]

    return read


@pytest.fixture
def document(next_runs: Callable[..., Any]) -> Callable[..., Any]:
    """Run the command with --json and read its document."""

    def read(assembly: Path, *options: str, **others: str) -> Any:
        return json.loads(next_runs(assembly, "--json", *options, **others).stdout)

    return read


@pytest.fixture
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed command in a process of its own, its output in a pipe."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "scheduled-pipeline"), *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def patient_aws() -> Iterator[LocalAws]:
    """A local AWS whose runs end only when they are told to."""
    from local_aws import LocalAws

    with LocalAws.start(execution_seconds=3600) as aws:
        yield aws


@pytest.fixture
def training(patient_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> TrainingAccount:
    """An account of its own with the pipeline Training, to which the environment points."""
    from training_account import DEFINITION, TrainingAccount

    aws = replace(patient_aws, account=str(next(_accounts)))
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    aws.client("sagemaker").create_pipeline(
        PipelineName="Training",
        PipelineDefinition=json.dumps(DEFINITION),
        RoleArn="arn:aws:iam::111122223333:role/execution",
    )
    return TrainingAccount(aws)


@pytest.fixture
def account(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> OperatorAccount:
    """An account of the local AWS that no other test uses; the environment points the command there."""
    from operator_account import OperatorAccount

    aws = replace(local_aws, account=str(next(_operator_accounts)))
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return OperatorAccount.open(aws)


@pytest.fixture
def endpoint(account: OperatorAccount, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyEndpoint]:
    """What stands between the command and the local AWS: counts the calls, and can refuse them."""
    from faulty_endpoint import faulty_endpoint

    with faulty_endpoint(account.aws.endpoint_url) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


@pytest.fixture
def at_terminal() -> Callable[..., str]:
    """Run the installed command at a terminal of 200 columns, type the answers, and read the screen."""

    def run(*arguments: str, answers: str = "") -> str:
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        command = [str(Path(sys.executable).parent / "scheduled-pipeline"), *arguments]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
        with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment):
            os.close(follower)
            os.write(leader, answers.encode())
            screen = b"".join(iter(lambda: _read(leader), b""))
        os.close(leader)
        return screen.decode()

    return run


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # so Linux tells that the other side has closed
        return b""
