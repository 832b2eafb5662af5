"""A small fleet through its life on the local AWS, by the real CDK CLI; the tests run in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_aws.cdk_cli import CdkCli
    from local_aws.server import LocalAws

ACCOUNT = "555566667777"
REGION = "us-east-1"
DEPLOY = ("deploy", "--all", "--concurrency", "3", "--require-approval", "never")
STACKS = {"a": "One", "b": "One", "c": "One", "d": "Two", "e": "Two", "f": "Three"}
Deploy = Callable[[dict[str, str]], str]


@pytest.fixture(scope="module")
def cdk(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> CdkCli:
    from local_aws.cdk_cli import CdkCli

    folder, home = tmp_path_factory.mktemp("fleet"), tmp_path_factory.mktemp("home")
    aws = replace(local_aws, account=ACCOUNT)
    cli = CdkCli(aws=aws, folder=folder, home=home, app=str(folder / "cdk.out"), region=REGION)
    cli.bootstrap()
    return cli


@pytest.fixture(scope="module")
def deploy(cdk: CdkCli, small_definition: dict[str, Any], feature_flags: dict[str, Any]) -> Deploy:
    """Deploy the fleet of these pipelines, by name with the stack of each."""

    def deploy(stacks: dict[str, str]) -> str:
        _synthesize(cdk.folder / "cdk.out", stacks, small_definition, feature_flags)
        return cdk.run(*DEPLOY).stdout

    return deploy


def _synthesize(
    folder: Path, stacks: dict[str, str], definition: dict[str, Any], flags: dict[str, Any]
) -> None:
    from aws_cdk import App, Environment, RemovalPolicy

    from scheduled_pipeline import FleetPipeline, PipelineDefinition, PipelineFleet, PipelineSchedule

    app = App(context=flags, outdir=str(folder), analytics_reporting=False)
    pipelines = {
        name: FleetPipeline(
            definition=PipelineDefinition.from_json(definition),
            pipeline_name=f"Fleet-{name}",
            schedules={
                "Nightly": PipelineSchedule.cron("0 3 * * ? *", parameters={"Mode": "b"}),
                "Weekly": PipelineSchedule.cron("0 5 ? * MON *"),
            },
            stack=where,
        )
        for name, where in stacks.items()
    }
    fleet = PipelineFleet(app, "Fleet", pipelines=pipelines, env=Environment(account=ACCOUNT, region=REGION))
    assert fleet.shared is not None
    fleet.shared.artifact_bucket.apply_removal_policy(RemovalPolicy.DESTROY)
    app.synth()


def _names(cdk: CdkCli, kind: str) -> set[str]:
    return {
        name.rpartition("/")[2] for name in getattr(cdk.aws.inventory(account=ACCOUNT, region=REGION), kind)
    }


def test_all_stacks_are_deployed_side_by_side(cdk: CdkCli, deploy: Deploy) -> None:
    deploy(STACKS)
    assert _names(cdk, "stacks") == {"CDKToolkit", "Fleet-Shared", "Fleet-One", "Fleet-Two", "Fleet-Three"}
    assert _names(cdk, "pipelines") == {f"Fleet-{name}" for name in STACKS}
    assert _names(cdk, "schedules") == {
        f"Fleet-{name}-{key}" for name in STACKS for key in ("Nightly", "Weekly")
    }
    assert len(_names(cdk, "schedule_groups")) == 3
    assert len(_names(cdk, "queues")) == 1


def test_a_schedule_starts_its_pipeline_with_the_role_of_its_stack(cdk: CdkCli) -> None:
    (group,) = {
        name.partition("/")[0]
        for name in cdk.aws.inventory(account=ACCOUNT, region=REGION).schedules
        if name.endswith("Fleet-e-Nightly")
    }
    due = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
    delivery = cdk.aws.deliver(
        "Fleet-e-Nightly", group=group, scheduled_time=due, account=ACCOUNT, region=REGION
    )
    assert delivery.error_code is None
    assert ":pipeline/fleet-e/execution/" in str(delivery.execution_arn)


def test_one_more_touches_one_stack(cdk: CdkCli, deploy: Deploy) -> None:
    printed = deploy({**STACKS, "g": "Two"})
    assert printed.count("(no changes)") == 3
    assert "Fleet-g" in _names(cdk, "pipelines")


def test_one_less_touches_one_stack_and_leaves_nothing_of_it(cdk: CdkCli, deploy: Deploy) -> None:
    printed = deploy({name: where for name, where in STACKS.items() if name != "b"})
    assert printed.count("(no changes)") == 2  # the one that came before goes too
    assert _names(cdk, "pipelines") == {f"Fleet-{name}" for name in STACKS if name != "b"}
    assert not [name for name in _names(cdk, "schedules") if name.startswith(("Fleet-b", "Fleet-g"))]


def test_destroy_leaves_nothing(cdk: CdkCli) -> None:
    cdk.run("destroy", "--all", "--force")
    assert _names(cdk, "stacks") == {"CDKToolkit"}
    for kind in ("pipelines", "schedules", "schedule_groups", "rules", "queues"):
        assert _names(cdk, kind) == set(), kind
    assert all(role.startswith("cdk-") for role in _names(cdk, "roles"))
    assert all(bucket.startswith("cdk-") for bucket in _names(cdk, "buckets"))
