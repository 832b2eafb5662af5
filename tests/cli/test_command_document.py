"""``docs/command.md`` says what the command does."""

import json
import re
from pathlib import Path

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount
from typer.main import get_command

from scheduled_pipeline.cli.account import trigger_output
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.commands.account import list_triggers, orphans
from scheduled_pipeline.cli.errors import ExitCode
from scheduled_pipeline.cli.main import app

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "command.md").read_text(encoding="utf-8")
RECORD = TriggerRecord(
    kind="schedule",
    name="nightly",
    arn="arn:aws:scheduler:eu-west-1:111122223333:schedule/default/nightly",
    group="default",
    state="ENABLED",
    target_arn="",
    pipeline=None,
)


def test_every_command_is_in_the_table() -> None:
    listed = re.findall(r"^\| `(\w+)", TEXT, re.MULTILINE)
    commands = list(getattr(get_command(app), "commands", {}))
    assert commands
    assert [name for name in commands if name not in listed] == []


def test_every_exit_code_is_in_the_table() -> None:
    assert re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE) == [str(code.value) for code in ExitCode]


@pytest.mark.parametrize("columns", [list_triggers.COLUMNS, orphans.COLUMNS], ids=["list", "orphans"])
def test_every_column_is_named(columns: tuple[str, ...]) -> None:
    assert [column for column in columns if f"`{column}`" not in TEXT] == []


def test_every_member_of_a_trigger_is_in_the_table() -> None:
    table = TEXT.partition("## A trigger as JSON")[2]
    whole = {*trigger_output.document(RECORD), "pipelineExists"}
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = re.findall(r"`(\w+)`( \*)?", "\n".join(rows))
    assert {name for name, _ in named} == whole
    assert {name for name, star in named if star} == set(trigger_output.short_document(RECORD))


def test_the_policy_allows_what_is_called_and_no_more(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    (policy,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
    account.stack("Owner", {"Owned": account.owned_schedule("owned", pipeline="gone")})
    account.schedule("nightly")
    account.rule("launch", account.pipeline_arn("gone"))
    for command in (["list"], ["orphans"], ["describe", "nightly"], ["describe", "default/launch"]):
        assert account.run(*command).exit_code == 0
    assert sorted(endpoint.calls) == policy["Statement"][0]["Action"]
    endpoint.calls.clear()
    account.rows("orphans", "--delete", "--yes")
    deleting = {"scheduler:DeleteSchedule", "events:RemoveTargets", "events:DeleteRule"}
    assert set(endpoint.calls) - set(policy["Statement"][0]["Action"]) == deleting
    assert [action for action in deleting if f"`{action}`" not in TEXT] == []
