"""What ``put_triggers`` of the SDK attaches to a pipeline of a stack: found, adopted, swept away."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

if TYPE_CHECKING:
    from fault_matrix import Row

REGION = "us-east-1"
SDK = Path(__file__).parents[1] / "sample_defs" / "sdk_triggers.py"
NAME = "from-a-notebook"


@pytest.fixture
def command(cloud: Any) -> Callable[..., Any]:
    """Run ``scheduled-pipeline`` on the account; the JSON that it prints."""
    from scheduled_pipeline.cli.main import app

    def run(*arguments: str) -> Any:
        place = ("--region", REGION, "--endpoint-url", cloud.aws.endpoint_url, "--json")
        environment = {**cloud.aws.environment(), "AWS_PROFILE": None}
        result = CliRunner().invoke(app, [*arguments, *place], env=environment)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def put_triggers(cloud: Any, *roles: str) -> list[dict[str, Any]]:
    """Run the SDK; what it answers for each role."""
    request = {"region": REGION, "pipeline": "Lifecycle", "name": NAME, "roles": roles}
    done = subprocess.run(
        [sys.executable, str(SDK)],
        input=json.dumps(request),
        env={"PATH": "/usr/bin:/bin", **cloud.aws.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_schedule_of_the_sdk_is_found_adopted_and_swept(
    cloud: Any, row: Row, command: Callable[..., Any]
) -> None:
    """The SDK's own check of the role refuses the one that only the scheduler may assume."""
    cloud.be(replace(cloud.base, options={"sweep_strays": True}))
    schedules = cloud.names("schedules")
    own = cloud.schedule("Lifecycle-Nightly")["Target"]["RoleArn"]
    refused, made = put_triggers(cloud, own, cloud.notebook_role)
    assert "does not allow 'sagemaker.amazonaws.com' to assume it" in refused["refused"]
    assert made["arns"] == [f"arn:aws:scheduler:{REGION}:{cloud.aws.account}:schedule/default/{NAME}"]
    assert cloud.names("schedules") == sorted([*schedules, NAME])

    (orphan,) = command("orphans")["orphans"]
    assert (orphan["name"], orphan["group"]) == (NAME, "default")
    adopted = command("adopt", "Lifecycle")
    assert [trigger["name"] for trigger in adopted["adopted"]] == [NAME]
    assert 'PipelineSchedule.cron("0 3 * * ? *"' in adopted["code"]

    cloud.destroy(cloud.plan)
    row.settle()
    assert row.after == {}


def test_a_stray_without_the_sweep_is_found_after_destroy_and_deleted(
    cloud: Any, row: Row, command: Callable[..., Any]
) -> None:
    cloud.be(cloud.base)
    target = {**cloud.schedule("Lifecycle-Nightly")["Target"], "RoleArn": cloud.notebook_role}
    cloud.aws.client("scheduler").create_schedule(
        Name=NAME,
        ScheduleExpression="cron(0 3 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    cloud.destroy()
    assert cloud.names("schedules") == [NAME]
    assert [entry.after for entry in row.dangling()] == ["DeletePipeline"]
    row.forgive()
    (orphan,) = command("orphans", "--delete", "--yes")["orphans"]
    assert orphan["name"] == NAME
    row.settle()
    assert row.after == {}
