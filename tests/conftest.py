"""What all tests share: the feature flags, stacks, and one local AWS.

The CDK is imported where it is used: the tests of the pure parts need no Node.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aws_cdk import Stack

    from local_aws.server import LocalAws
    from scheduled_pipeline import PipelineDefinition

Synthesize = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[1]
pytest_plugins = ["dealing", "fast_tests", "fault_report"]
REGION = "eu-west-1"
ACCOUNT = "111122223333"


@pytest.fixture(scope="session")
def feature_flags(cache_folder: Path) -> dict[str, Any]:
    """The context of cdk.json, which only the CDK CLI reads by itself, and a cache for these tests alone."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return {**flags, "scheduled-pipeline:cache": str(cache_folder)}


@pytest.fixture(scope="session")
def cache_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of compiled definitions; the processes of pytest-xdist share it, as synths may."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if hasattr(request.config, "workerinput") else base) / "compiled"


@pytest.fixture(scope="session")
def new_stack(
    feature_flags: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Stack]:
    """Make a stack in an app of its own, in a known account and Region."""
    from aws_cdk import App, Environment, Stack

    def make(name: str = "Stack", *, account: str | None = ACCOUNT, region: str | None = REGION) -> Stack:
        app = App(
            context=feature_flags, outdir=str(tmp_path_factory.mktemp("cdk.out")), analytics_reporting=False
        )
        return Stack(app, name, env=Environment(account=account, region=region))

    return make


@pytest.fixture(scope="session")
def synthesize() -> Synthesize:
    """The function that runs the CLI: project folder, output folder, environment as keywords."""
    return _synthesize


@pytest.fixture(scope="session")
def own_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this app's cloud assembly, made once by the real CDK CLI."""
    output = tmp_path_factory.mktemp("synth") / "cdk.out"
    done = _synthesize(ROOT, output)
    assert done.returncode == 0, done.stderr + done.stdout
    return output


@pytest.fixture(scope="session")
def small_definition() -> dict[str, Any]:
    """A definition with one processing step and one parameter of each type, made without the SDK."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": "Date", "Type": "String", "DefaultValue": "today"},
            {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
            {"Name": "Limit", "Type": "Float", "DefaultValue": 6.0},
            {"Name": "Full", "Type": "Boolean", "DefaultValue": False},
            {"Name": "Mode", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
        ],
        "Steps": [
            {
                "Name": "Process",
                "Type": "Processing",
                "Arguments": {
                    "RoleArn": "arn:aws:iam::111122223333:role/given",
                    "AppSpecification": {"ImageUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"},
                    "ProcessingResources": {
                        "ClusterConfig": {
                            "InstanceType": "ml.m5.large",
                            "InstanceCount": {"Get": "Parameters.Count"},
                            "VolumeSizeInGB": 30,
                        }
                    },
                },
            }
        ],
    }


@pytest.fixture(scope="session")
def definition(small_definition: dict[str, Any]) -> PipelineDefinition:
    """The small definition, as the construct takes it."""
    from scheduled_pipeline import PipelineDefinition

    return PipelineDefinition.from_json(small_definition)


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """The local AWS, started once for all tests that deploy."""
    from local_aws.server import LocalAws

    with LocalAws.start() as aws:
        yield aws


_SYNTH = ("cdk", "synth", "--quiet", "--ci", "--no-notices")


def _synthesize(
    project: Path, output: Path, *, cache: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``cdk synth`` on a copy of the project, with nothing in the environment but what is given.

    Nothing comes out of the developer's cache: everything is compiled, unless there is another cache.
    """
    programs = [Path(sys.executable).parent, ROOT / "node_modules" / ".bin"]
    return subprocess.run(
        [*_SYNTH, "--context", f"scheduled-pipeline:cache={cache or 'false'}", "--output", str(output)],
        cwd=project,
        env={
            "PATH": os.pathsep.join([*(str(program) for program in programs), "/usr/bin", "/bin"]),
            "HOME": str(output.parent),
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
