"""What ``put_triggers`` of the real SDK leaves behind, from finding it to the last deletion."""

import json
import subprocess
import sys
from pathlib import Path

from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount

ROOT = Path(__file__).resolve().parents[3]
REGIONS = ("us-east-1", "eu-west-1")
BOTH = ("--region", "us-east-1", "--region", "eu-west-1")
LEFT_BEHIND = {
    ("us-east-1", "default", "Churn"): ("churn-hourly", "churn-daily", "churn-weekly", "churn-once"),
    ("us-east-1", "team-a", "Fraud"): ("fraud-hourly", "fraud-daily"),
    ("us-east-1", "team-b", "Prices"): ("prices-hourly",),
    ("eu-west-1", "default", "Churn"): ("churn-hourly", "churn-daily"),
    ("eu-west-1", "team-a", "Fraud"): ("fraud-hourly",),
}
EXPRESSIONS = {
    "hourly": ("rate", [2, "hours"]),
    "daily": ("cron", "0 3 * * ? *"),
    "weekly": ("cron", "0 3 ? * MON *"),
    "once": ("cron", "0 3 1 1 ? 2099"),
}


def leave_behind(account: OperatorAccount) -> set[tuple[str, str]]:
    """Run the SDK; the Region and path of each schedule that it leaves."""
    requests = []
    for (region, group, pipeline), names in LEFT_BEHIND.items():
        account.pipeline(pipeline, region=region)
        if group not in account.groups(region):
            account.aws.client("scheduler", region=region).create_schedule_group(Name=group)
        schedules = {name: EXPRESSIONS[name.rpartition("-")[2]] for name in names}
        requests.append(
            {
                "region": region,
                "pipeline": pipeline,
                "group": group,
                "schedules": schedules,
                "role": account.role,
            }
        )
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "sample_defs" / "sdk_schedules.py")],
        input=json.dumps(requests),
        env={"PATH": "/usr/bin:/bin", "SAGEMAKER_VALIDATE_ROLE": "false", **account.aws.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        (region, f"{group}/{name}") for (region, group, _), names in LEFT_BEHIND.items() for name in names
    }


def deploy_owned(account: OperatorAccount) -> None:
    """A stack with a schedule of a pipeline that exists, and one whose name the SDK used in another group."""
    account.pipeline("Owned")
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "owned-group"}}
    account.stack(
        "Owned",
        {
            "Group": group,
            "Nightly": account.owned_schedule("nightly", pipeline="owned"),
            "Same": account.owned_schedule("churn-hourly", pipeline="owned", GroupName={"Ref": "Group"}),
            "Launch": account.owned_rule("launch", pipeline="owned"),
        },
    )


def test_ten_orphans_of_the_sdk_are_found_and_deleted_and_nothing_else_is(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    left_behind = leave_behind(account)
    deploy_owned(account)
    owned = {"default/nightly", "owned-group/churn-hourly"}

    rows = account.rows("orphans", *BOTH)
    assert {(row["REGION"], f"{row['GROUP']}/{row['NAME']}") for row in rows} == left_behind
    assert len(rows) == len(left_behind) == 10
    assert {row["REASON"] for row in rows} == {"missing-pipeline,unowned"}

    endpoint.refuse("scheduler:DeleteSchedule", containing="/schedules/fraud-daily")
    result = account.run("orphans", *BOTH, "--delete", "--yes")
    assert result.exit_code == 1
    assert "Error: schedule team-a/fraud-daily in us-east-1 was not deleted: access denied" in result.stderr
    assert "9 of 10 were deleted" in result.stderr
    assert account.schedules("us-east-1") == {"team-a/fraud-daily", *owned}
    assert account.schedules("eu-west-1") == set()

    endpoint.mend()
    result = account.run("orphans", *BOTH, "--delete", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert account.schedules("us-east-1") == owned
    assert account.rows("orphans", *BOTH) == []
    assert [rule["Name"] for rule in account.aws.client("events").list_rules()["Rules"]] == ["launch"]
