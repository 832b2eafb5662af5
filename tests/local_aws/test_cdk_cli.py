import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnDeletionPolicy, CfnResource, Environment, Stack

from local_aws import LocalAws
from local_aws.cdk_cli import CdkCli

Resource = Callable[..., dict[str, Any]]
REGION = "eu-west-1"

pytestmark = pytest.mark.skipif(
    not (Path(__file__).parents[2] / "node_modules/.bin/cdk").exists(),
    reason="the CDK CLI is not installed (npm ci)",
)


@pytest.fixture
def assembly(
    aws: LocalAws, tmp_path: Path, role: Resource, pipeline: Resource, schedule: Resource
) -> Callable[..., str]:
    """Synthesizes a stack of a pipeline and its schedule; the directory of the cloud assembly."""

    def make(**settings: Any) -> str:
        outdir = str(tmp_path / "-".join(["cdk.out", *settings]))
        app = App(outdir=outdir, analytics_reporting=False)
        stack = Stack(app, "Training", env=Environment(account=aws.account, region=REGION))
        group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "training"}}
        resources = {
            "Role": role(),
            "Group": group,
            "Pipeline": pipeline(),
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Nightly": schedule(GroupName={"Ref": "Group"}, **settings),
        }
        for logical_id, resource in resources.items():
            made = CfnResource(stack, logical_id, type=resource["Type"], properties=resource["Properties"])
            made.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE
        app.synth()
        return outdir

    return make


@pytest.fixture
def cdk(aws: LocalAws, tmp_path: Path) -> Callable[[str], CdkCli]:
    """The CDK CLI for a cloud assembly."""
    return lambda app: CdkCli(aws=aws, folder=tmp_path, home=tmp_path, app=app, region=REGION)


def test_the_cli_bootstraps_deploys_diffs_changes_and_destroys(
    aws: LocalAws, cdk: Callable[[str], CdkCli], assembly: Callable[..., str]
) -> None:
    first, changed = cdk(assembly()), cdk(assembly(Description="every night"))
    first.bootstrap()
    toolkit = aws.inventory(region=REGION)
    assert toolkit.stacks == ("CDKToolkit",)

    first.deploy()
    added = aws.inventory(region=REGION).added_since(toolkit)
    assert {kind: len(names) for kind, names in added.items()} == {
        "stacks": 1,
        "pipelines": 1,
        "schedules": 1,
        "schedule_groups": 1,
        "roles": 1,
        "policies": 1,
        "buckets": 1,
    }

    assert first.diff().returncode == 0
    difference = changed.diff()
    assert (difference.returncode, "every night" in difference.stdout) == (1, True)
    changed.deploy()
    assert aws.inventory(region=REGION).added_since(toolkit) == added
    assert changed.diff().returncode == 0

    changed.destroy()
    assert aws.inventory(region=REGION).added_since(toolkit) == {}


def test_a_deployment_that_was_started_can_be_killed_with_all_its_processes(
    aws: LocalAws, cdk: Callable[[str], CdkCli], assembly: Callable[..., str]
) -> None:
    process = cdk(assembly()).start("deploy", "**")
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert aws.inventory(region=REGION).stacks == ()
