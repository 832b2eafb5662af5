"""A stack that sweeps strays when its pipeline goes, deployed by the real CDK CLI; the tests run in order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_aws.cdk_cli import CdkCli
    from local_aws.server import LocalAws

ACCOUNT = "444455557777"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/stray"
Deploy = Callable[..., None]


@pytest.fixture(scope="module")
def cdk(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> CdkCli:
    from dataclasses import replace

    from local_aws.cdk_cli import CdkCli

    folder = tmp_path_factory.mktemp("sweep")
    root = Path(__file__).resolve().parents[2]
    (folder / "cdk.json").write_text((root / "cdk.json").read_text(encoding="utf-8"), encoding="utf-8")
    app = f"{sys.executable} {Path(__file__).parent / 'sweep_app.py'}"
    cli = CdkCli(
        aws=replace(local_aws, account=ACCOUNT), folder=folder, home=tmp_path_factory.mktemp("home"), app=app
    )
    cli.bootstrap()
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["scheduler.amazonaws.com", "events.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cli.aws.client("iam").create_role(RoleName="stray", AssumeRolePolicyDocument=trust)
    return cli


@pytest.fixture(scope="module")
def deploy(cdk: CdkCli, small_definition: dict[str, Any]) -> Deploy:
    def deploy(*, pipeline_name: str = "Swept", sweep_strays: bool = True) -> None:
        settings = {
            "definition": small_definition,
            "pipeline_name": pipeline_name,
            "sweep_strays": sweep_strays,
        }
        (cdk.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        cdk.deploy()

    return deploy


def _add_strays(cdk: CdkCli, pipeline_name: str) -> None:
    """What somebody made by hand or with the SageMaker SDK: a schedule and a target of a rule."""
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/{pipeline_name}"
    cdk.aws.client("scheduler").create_schedule(
        Name="stray",
        ScheduleExpression="cron(0 3 1 1 ? 2099)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE},
    )
    events = cdk.aws.client("events")
    events.put_rule(Name="stray", EventPattern=json.dumps({"source": ["my.app"]}))
    events.put_targets(Rule="stray", Targets=[{"Id": "P", "Arn": arn, "RoleArn": ROLE}])


def _strays(cdk: CdkCli) -> tuple[bool, bool]:
    """Whether the stray schedule is there, and whether the stray rule has a target."""
    targets = cdk.aws.client("events").list_targets_by_rule(Rule="stray")["Targets"]
    return "default/stray" in cdk.aws.inventory().schedules, bool(targets)


def test_a_deployed_sweep_leaves_strays_alone(cdk: CdkCli, deploy: Deploy) -> None:
    deploy()
    assert len(cdk.aws.inventory().functions) == 1
    _add_strays(cdk, "swept")
    deploy()
    assert _strays(cdk) == (True, True)


def test_a_sweep_that_is_turned_off_leaves_strays_alone(cdk: CdkCli, deploy: Deploy) -> None:
    deploy(sweep_strays=False)
    assert cdk.aws.inventory().functions == ()
    assert _strays(cdk) == (True, True)


def test_a_pipeline_that_is_renamed_takes_the_strays_of_its_old_name_along(
    cdk: CdkCli, deploy: Deploy
) -> None:
    deploy()
    deploy(pipeline_name="Renamed")
    assert _strays(cdk) == (False, False)
    assert cdk.aws.inventory().pipelines == ("Renamed",)


def test_destroy_sweeps_and_leaves_nothing_of_itself(cdk: CdkCli) -> None:
    _add_strays(cdk, "renamed")
    cdk.destroy()
    assert _strays(cdk) == (False, False)
    left = cdk.aws.inventory()
    for kind in ("pipelines", "schedules", "schedule_groups", "alarms", "functions", "log_groups"):
        assert getattr(left, kind) == (), kind
    assert [role for role in left.roles if not role.startswith("cdk-")] == ["stray"]


def test_no_stray_ever_pointed_at_a_pipeline_that_was_gone(cdk: CdkCli) -> None:
    assert cdk.aws.dangling() == []
