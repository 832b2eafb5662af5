"""One stack through its whole life on the local AWS, by the real CDK CLI; the tests run in order."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_aws.cdk_cli import CdkCli
    from local_aws.server import LocalAws

ACCOUNT = "444455556666"
Deploy = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def cdk(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> CdkCli:
    from dataclasses import replace

    from local_aws.cdk_cli import CdkCli

    folder = tmp_path_factory.mktemp("lifecycle")
    root = Path(__file__).resolve().parents[2]
    (folder / "cdk.json").write_text((root / "cdk.json").read_text(encoding="utf-8"), encoding="utf-8")
    app = f"{sys.executable} {Path(__file__).parent / 'lifecycle_app.py'}"
    home = tmp_path_factory.mktemp("home")
    cli = CdkCli(aws=replace(local_aws, account=ACCOUNT), folder=folder, home=home, app=app)
    cli.bootstrap()
    return cli


@pytest.fixture(scope="module")
def settings(small_definition: dict[str, Any]) -> dict[str, Any]:
    """What is deployed now; each test changes it further."""
    return {
        "definition": copy.deepcopy(small_definition),
        "pipeline_name": "Lifecycle",
        "schedules": {
            "Hourly": {"kind": "rate", "value": 60, "parameters": {"Count": 2}},
            "Nightly": {"kind": "cron", "value": "0 3 * * ? *", "timezone": "Asia/Tokyo"},
        },
    }


@pytest.fixture(scope="module")
def deploy(cdk: CdkCli, settings: dict[str, Any]) -> Deploy:
    def deploy(changed: dict[str, Any]) -> str:
        settings.update(changed)
        (cdk.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        return cdk.deploy()

    return deploy


@pytest.fixture
def names(cdk: CdkCli) -> Callable[[str], tuple[str, ...]]:
    """The names of what there is of a kind; the toolkit's own stack has none of these kinds."""
    return lambda kind: tuple(getattr(cdk.aws.inventory(account=ACCOUNT), kind))


def _get(cdk: CdkCli, name: str) -> dict[str, Any]:
    scheduler = cdk.aws.client("scheduler", account=ACCOUNT)
    (group,) = cdk.aws.inventory(account=ACCOUNT).schedule_groups
    return dict(scheduler.get_schedule(GroupName=group, Name=name))


def test_deploy_makes_pipeline_and_schedules(
    cdk: CdkCli, deploy: Deploy, names: Callable[[str], Any]
) -> None:
    deploy({})
    assert names("pipelines") == ("Lifecycle",)
    assert [name.split("/")[1] for name in names("schedules")] == ["Lifecycle-Hourly", "Lifecycle-Nightly"]
    nightly = _get(cdk, "Lifecycle-Nightly")
    assert nightly["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert nightly["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert nightly["Target"]["Arn"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/lifecycle"


def test_the_definition_arrives_as_it_was_written(cdk: CdkCli, small_definition: dict[str, Any]) -> None:
    sagemaker = cdk.aws.client("sagemaker", account=ACCOUNT)
    text = sagemaker.describe_pipeline(PipelineName="Lifecycle")["PipelineDefinition"]
    assert json.loads(text) == small_definition


def test_a_due_schedule_starts_the_pipeline_with_its_parameters(cdk: CdkCli) -> None:
    (group,) = cdk.aws.inventory(account=ACCOUNT).schedule_groups
    due = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    delivery = cdk.aws.deliver("Lifecycle-Hourly", group=group, scheduled_time=due, account=ACCOUNT)
    assert delivery.error_code is None
    sagemaker = cdk.aws.client("sagemaker", account=ACCOUNT)
    summaries = sagemaker.list_pipeline_executions(PipelineName="Lifecycle")["PipelineExecutionSummaries"]
    assert delivery.execution_arn in {summary["PipelineExecutionArn"] for summary in summaries}
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=delivery.execution_arn)[
        "PipelineParameters"
    ]
    assert {"Name": "Count", "Value": "2"} in found


def test_diff_after_deploy_shows_nothing(cdk: CdkCli) -> None:
    done = cdk.diff()
    assert done.returncode == 0, done.stdout


def test_a_second_deploy_changes_nothing(deploy: Deploy) -> None:
    assert "(no changes)" in deploy({})


def test_a_changed_instance_type_is_ten_lines_of_diff_or_fewer(cdk: CdkCli, settings: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(settings).replace("ml.m5.large", "ml.m5.xlarge"))
    (cdk.folder / "settings.json").write_text(json.dumps(changed), encoding="utf-8")
    done = cdk.diff()
    assert done.returncode == 1
    definition = [line for line in done.stdout.splitlines() if line.strip().startswith(("[ ]", "[-]", "[+]"))]
    assert len(definition) <= 10
    changes = [line.strip() for line in definition if not line.strip().startswith("[ ]")]
    assert changes == [
        r'[-] "            \"InstanceType\": \"ml.m5.large\",",',
        r'[+] "            \"InstanceType\": \"ml.m5.xlarge\",",',
    ]


def test_a_changed_schedule_is_changed_in_place(
    cdk: CdkCli, deploy: Deploy, settings: dict[str, Any]
) -> None:
    created = _get(cdk, "Lifecycle-Nightly")["CreationDate"]
    schedules = copy.deepcopy(settings["schedules"])
    schedules["Nightly"] = {
        "kind": "cron",
        "value": "30 4 * * ? *",
        "timezone": "Europe/Berlin",
        "start": "2027-01-01T00:00:00+00:00",
        "enabled": False,
        "description": "changed",
    }
    deploy({"schedules": schedules})
    nightly = _get(cdk, "Lifecycle-Nightly")
    assert nightly["CreationDate"] == created
    assert nightly["ScheduleExpression"] == "cron(30 4 * * ? *)"
    assert nightly["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert nightly["StartDate"] == datetime(2027, 1, 1, tzinfo=UTC)
    assert nightly["State"] == "DISABLED"
    assert nightly["Description"] == "changed"


def test_a_renamed_schedule_leaves_the_old_one_nowhere(
    deploy: Deploy, settings: dict[str, Any], names: Callable[[str], Any]
) -> None:
    schedules = copy.deepcopy(settings["schedules"])
    schedules["Weekly"] = schedules.pop("Nightly")
    deploy({"schedules": schedules})
    assert [name.split("/")[1] for name in names("schedules")] == ["Lifecycle-Hourly", "Lifecycle-Weekly"]


def test_a_removed_schedule_is_gone(
    deploy: Deploy, settings: dict[str, Any], names: Callable[[str], Any]
) -> None:
    schedules = copy.deepcopy(settings["schedules"])
    del schedules["Weekly"]
    deploy({"schedules": schedules})
    assert [name.split("/")[1] for name in names("schedules")] == ["Lifecycle-Hourly"]


def test_an_event_rule_comes_with_a_deploy_and_starts_the_pipeline(
    cdk: CdkCli, deploy: Deploy, names: Callable[[str], Any]
) -> None:
    pattern = {"source": ["my.app"], "detail": {"kind": ["ready"]}}
    deploy({"events": {"Ready": {"event_pattern": pattern, "parameters": {"Date": "$.detail.date"}}}})
    assert names("rules") == ("default/Lifecycle-Ready",)
    before = len(_executions(cdk))
    _put_event(cdk, {"kind": "ready", "date": "2027-01-04"})
    _put_event(cdk, {"kind": "other", "date": "2027-01-05"})
    executions = _executions(cdk)
    assert len(executions) == before + 1
    assert executions[0]["Date"] == "2027-01-04"


def test_an_idempotent_schedule_that_is_delivered_twice_starts_once(
    cdk: CdkCli, deploy: Deploy, settings: dict[str, Any]
) -> None:
    once = {"kind": "cron", "value": "0 5 * * ? *", "idempotent": True, "parameters": {"Count": 7}}
    deploy({"schedules": {**settings["schedules"], "Once": once}})
    (group,) = cdk.aws.inventory(account=ACCOUNT).schedule_groups
    before = len(_executions(cdk))
    due = [datetime(2026, 12, 1, 5, 0, tzinfo=UTC), datetime(2026, 12, 2, 5, 0, tzinfo=UTC)]
    deliveries = [
        cdk.aws.deliver("Lifecycle-Once", group=group, scheduled_time=moment, account=ACCOUNT)
        for moment in (due[0], due[0], due[1])
    ]
    arns = [delivery.execution_arn for delivery in deliveries]
    assert arns[0] == arns[1] != arns[2]
    assert len(_executions(cdk)) == before + 2
    assert _executions(cdk)[0]["Count"] == "7"


def test_a_renamed_pipeline_takes_its_schedules_and_rules_along(
    cdk: CdkCli, deploy: Deploy, names: Callable[[str], Any]
) -> None:
    deploy({"pipeline_name": "Renamed"})
    assert names("pipelines") == ("Renamed",)
    assert [name.split("/")[1] for name in names("schedules")] == ["Renamed-Hourly", "Renamed-Once"]
    assert names("rules") == ("default/Renamed-Ready",)
    hourly = _get(cdk, "Renamed-Hourly")
    assert hourly["Target"]["Arn"].endswith(":pipeline/renamed")


def test_destroy_leaves_nothing(cdk: CdkCli, names: Callable[[str], Any]) -> None:
    cdk.destroy()
    for kind in ("pipelines", "schedules", "schedule_groups", "rules", "queues"):
        assert names(kind) == (), kind
    assert names("stacks") == ("CDKToolkit",)
    assert all(role.startswith("cdk-") for role in names("roles"))


def _executions(cdk: CdkCli) -> list[dict[str, str]]:
    """The parameters of each execution, newest first."""
    sagemaker = cdk.aws.client("sagemaker", account=ACCOUNT)
    summaries = sagemaker.list_pipeline_executions(PipelineName="Lifecycle")["PipelineExecutionSummaries"]
    return [
        {
            parameter["Name"]: parameter["Value"]
            for parameter in sagemaker.list_pipeline_parameters_for_execution(
                PipelineExecutionArn=summary["PipelineExecutionArn"]
            )["PipelineParameters"]
        }
        for summary in summaries
    ]


def _put_event(cdk: CdkCli, detail: dict[str, str]) -> None:
    entry = {"Source": "my.app", "DetailType": "Data", "Detail": json.dumps(detail)}
    assert cdk.aws.client("events", account=ACCOUNT).put_events(Entries=[entry])["FailedEntryCount"] == 0
