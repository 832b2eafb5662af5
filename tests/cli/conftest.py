"""Small cloud assemblies, written as the CDK writes them, and the command run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scheduled_pipeline.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/training"

Resources = Mapping[str, Mapping[str, Any]]


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
        resources: Resources, *, folder: str = "cdk.out", stack: str = "Stack", **parts: object
    ) -> Path:
        where = tmp_path / folder
        where.mkdir(parents=True, exist_ok=True)
        artifact = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/eu-west-1",
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
    """Run `scheduled-pipeline next` on an assembly, after a fixed moment unless told otherwise."""

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
def own_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of this project's app, made by the CDK's own command."""
    output = tmp_path_factory.mktemp("synth") / "cdk.out"
    programs = [Path(sys.executable).parent, ROOT / "node_modules" / ".bin"]
    done = subprocess.run(
        ["cdk", "synth", "--quiet", "--ci", "--no-notices", "--output", str(output)],
        cwd=ROOT,
        env={
            "PATH": os.pathsep.join([*(str(program) for program in programs), "/usr/bin", "/bin"]),
            "HOME": str(output.parent),
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return output
