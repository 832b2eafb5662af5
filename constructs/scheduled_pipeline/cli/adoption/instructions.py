"""What an operator does with the code for adopted triggers: deploy, check, delete the old ones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.adoption.adoption import Adoption
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule
from scheduled_pipeline.trigger.time_zone import utc_text


def steps(adoption: Adoption, *, now: datetime, handover: datetime | None, options: str) -> tuple[str, ...]:
    """What to do, in order.

    Args:
        adoption: what was written.
        now: aware; when it was written.
        handover: as it was asked for.
        options: ``--region`` and others that the commands need.
    """
    arguments = dict.fromkeys(f"{one.argument}={one.argument}" for one in adoption.adopted)
    return (
        f"Give {', '.join(arguments)} to the ScheduledPipeline and deploy it.",
        f"Check what was deployed: scheduled-pipeline list {options}",
        _when_to_delete(adoption, now, handover) + _what_is_lost(adoption, now, handover),
        *(["Then enable the rules, and deploy again."] if _has_waiting_rules(adoption, handover) else []),
    )


def _when_to_delete(adoption: Adoption, now: datetime, handover: datetime | None) -> str:
    delete = "Delete the old ones, with the commands below"
    if handover is not None:
        return f"{delete}, shortly before the handover at {utc_text(handover)}: the new ones begin then."
    first = first_run(adoption, now)
    events = any(isinstance(one.trigger, EventTrigger) and one.trigger.enabled for one in adoption.adopted)
    if first is None and not events:
        return f"{delete}. Nothing is started twice meanwhile: all of them are disabled."
    known = [] if first is None else [f"at {utc_text(first)}"]
    when = " or ".join([*known, *(["with the next event"] if events else [])])
    return (
        f"{delete}, at once: until then old and new both start a run, for the first time {when}. To start "
        "none twice, adopt with --handover and a moment after the deployment, or deploy with enabled=False, "
        "delete the old ones, and enable. idempotent=True does not help: it knows one schedule's runs only."
    )


def _what_is_lost(adoption: Adoption, now: datetime, handover: datetime | None) -> str:
    """Name the rates that do not run between the deletion of the old ones and their own start."""
    late = [
        one.key
        for one in adoption.adopted
        if one.factory == "rate"
        and isinstance(one.trigger, PipelineSchedule)
        and one.trigger.enabled
        and (one.record.start is None or one.record.start <= now)
    ]
    if handover is not None or not late:
        return ""
    does = "does" if len(late) == 1 else "do"
    return (
        f" {', '.join(late)} {does} not run from the deletion until start: with --handover nothing is lost, "
        "if the old ones are deleted after their last run before it."
    )


def first_run(adoption: Adoption, now: datetime) -> datetime | None:
    """When the first of the enabled new schedules runs, if one does."""
    runs = (
        one.trigger.next_runs(1, after=now)
        for one in adoption.adopted
        if isinstance(one.trigger, PipelineSchedule) and one.trigger.enabled
    )
    return min((run for found in runs for run in found), default=None)


def _has_waiting_rules(adoption: Adoption, handover: datetime | None) -> bool:
    rules = (one.record for one in adoption.adopted if isinstance(one.trigger, EventTrigger))
    return handover is not None and any(rule.enabled for rule in rules)


def delete_commands(adoption: Adoption, *, options: str) -> tuple[str, ...]:
    """The commands that delete the old triggers, and nothing that still runs and is not written.

    One command for the whole pipeline, unless it would take one that is left out and still runs. A rule with
    other targets may start other pipelines, so only its target is removed.
    """
    if all(one.spent for one in adoption.left_out):
        name = shlex.quote(adoption.pipeline)
        return (f"scheduled-pipeline orphans --pipeline {name} --reason unowned --delete {options}",)
    spent = (one.record for one in adoption.left_out if one.spent)
    records = dict.fromkeys([*(one.record for one in adoption.adopted), *spent])
    own = dict.fromkeys(shlex.quote(record.arn) for record in records if not record.other_targets)
    return (
        *([f"scheduled-pipeline delete {' '.join(own)} {options}"] if own else []),
        *(_remove_target(record, options) for record in records if record.other_targets),
    )


def _remove_target(record: TriggerRecord, options: str) -> str:
    named = {"--rule": record.name, "--event-bus-name": record.group, "--ids": record.target_id or ""}
    arguments = " ".join(f"{name} {shlex.quote(value)}" for name, value in named.items())
    return f"aws events remove-targets {arguments} {options}"


def summary(adoption: Adoption, region: str) -> str:
    """How many are written and how many are not."""
    written = _counted(len({one.record for one in adoption.adopted}))
    left = f", {len(adoption.left_out)} left out" if adoption.left_out else ""
    return f"{written} of {adoption.pipeline} in {region} written as code{left}."


def _counted(number: int) -> str:
    return "1 trigger" if number == 1 else f"{number} triggers"


def numbered(lines: Sequence[str]) -> Iterator[str]:
    """The lines, each with its number."""
    yield from (f"{number}. {line}" for number, line in enumerate(lines, start=1))
