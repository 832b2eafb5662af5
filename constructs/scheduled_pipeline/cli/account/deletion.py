"""Delete triggers, each on its own: what fails is reported, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

import typer

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import AwsError, NotFoundError, api_errors
from scheduled_pipeline.cli.account.calls import side_by_side
from scheduled_pipeline.cli.account.scan import rule_targets
from scheduled_pipeline.cli.account.trigger_records import SCHEDULE, TriggerRecord
from scheduled_pipeline.cli.errors import ExitCode


class Outcome(StrEnum):
    """How the deletion of a trigger ended."""

    DELETED = "deleted"
    TARGET_REMOVED = "target removed"
    GONE = "already gone"
    FAILED = "failed"
    INTERRUPTED = "not tried"


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """One trigger that was to be deleted.

    Attributes:
        record: the trigger.
        outcome: how it ended.
        error: why it failed, in one sentence.
    """

    record: TriggerRecord
    outcome: Outcome
    error: str | None = None


def delete(
    aws: Aws, records: Sequence[TriggerRecord], tell: Callable[[int], object] = lambda number: None
) -> list[Deletion]:
    """Delete triggers side by side; throttled calls are repeated by the client.

    Calls ``scheduler:DeleteSchedule``; for a rule ``events:RemoveTargets``, ``events:ListTargetsByRule``
    and, when it has no targets left, ``events:DeleteRule``. What is gone already is done. An interrupt lets
    the calls that are under way come to their end, so that what is returned is what has happened.

    Args:
        aws: who asks.
        records: the triggers.
        tell: is given the number of those that are done.

    Returns:
        How each ended, in the order given.
    """
    done: dict[int, Deletion] = {}

    def attempt(places: list[int]) -> None:
        # The targets of one rule are removed one after the other, as EventBridge refuses changes at once.
        for place in places:
            done[place] = _delete(aws, records[place])

    together = (list(same) for _, same in groupby(range(len(records)), key=lambda place: records[place].arn))
    try:
        for _ in side_by_side(attempt, together):
            tell(len(done))
    except KeyboardInterrupt:
        rest = {place: record for place, record in enumerate(records) if place not in done}
        done |= {
            place: Deletion(record=record, outcome=Outcome.INTERRUPTED) for place, record in rest.items()
        }
    return [done[place] for place in range(len(records))]


def report_failures(deletions: Sequence[Deletion]) -> None:
    """Name on standard error what was not deleted, and end with that exit code.

    Raises:
        typer.Exit: when there is any, or an interrupt left some.
    """
    failed = [deletion for deletion in deletions if deletion.outcome is Outcome.FAILED]
    for deletion in failed:
        typer.echo(f"Error: {deletion.record} was not deleted: {deletion.error}", err=True)
    untried = sum(deletion.outcome is Outcome.INTERRUPTED for deletion in deletions)
    if failed or untried:
        done = len(deletions) - len(failed) - untried
        how = "Interrupted: " if untried else ""
        typer.echo(f"{how}{done} of {len(deletions)} were deleted: run it again.", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED if untried else ExitCode.REFUSED)


def _delete(aws: Aws, record: TriggerRecord) -> Deletion:
    try:
        with api_errors():
            outcome = _delete_schedule(aws, record) if record.kind == SCHEDULE else _delete_rule(aws, record)
    except NotFoundError:
        outcome = Outcome.GONE
    except AwsError as error:
        return Deletion(record=record, outcome=Outcome.FAILED, error=str(error))
    return Deletion(record=record, outcome=outcome)


def _delete_schedule(aws: Aws, record: TriggerRecord) -> Outcome:
    aws.client("scheduler", record.region).delete_schedule(Name=record.name, GroupName=record.group)
    return Outcome.DELETED


def _delete_rule(aws: Aws, record: TriggerRecord) -> Outcome:
    client: Any = aws.client("events", record.region)
    rule = {"Rule": record.name, "EventBusName": record.group}
    answer = client.remove_targets(**rule, Ids=[record.target_id])
    for failed in answer.get("FailedEntries", ()):
        raise AwsError(f"events:RemoveTargets in {record.region}: {failed.get('ErrorMessage')}")
    # It may have got other targets since it was found, so it is asked again. EventBridge deletes no rule that
    # has any.
    if rule_targets(client, record.group, record.name):
        return Outcome.TARGET_REMOVED
    client.delete_rule(Name=record.name, EventBusName=record.group)
    return Outcome.DELETED
