"""Triggers that no stack owns, as the Python code that makes a ``ScheduledPipeline`` start the same.

Whatever is written has been made as an object first, so that its class has checked it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduled_pipeline.cli.account.trigger_records import SCHEDULE, TriggerRecord
from scheduled_pipeline.cli.adoption.python_source import Entry, assignment, comment, names_used
from scheduled_pipeline.cli.adoption.rule import adopt_rule
from scheduled_pipeline.cli.adoption.schedule import adopt_schedule
from scheduled_pipeline.cli.adoption.trigger import AdoptedTrigger, CannotAdoptError, SpentError

_SEPARATORS = re.compile(r"[-_.]+")
_LONGEST_KEY = 60
_KEYS = {"cron": "Cron", "rate": "Rate", "at": "Once", "pattern": "Event"}
"""For a trigger that has the name of its pipeline, as those of the SageMaker SDK have."""

_IMPORTS = {
    "datetime": ("UTC", "datetime", "timedelta"),
    "scheduled_pipeline": ("EventTrigger", "PipelineSchedule"),
}
_NOT_KEPT = (
    "Not kept: roles, schedule groups, dead-letter queues and physical names. The stack has its own. "
    "A trigger without a description gets one that says when it runs."
)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A trigger that is not written.

    Attributes:
        record: the trigger.
        reason: why.
        spent: whether nothing is lost by it.
    """

    record: TriggerRecord
    reason: str
    spent: bool = False


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What becomes of the triggers of one pipeline.

    Attributes:
        pipeline: its name.
        adopted: what is written, schedules first.
        left_out: what is not.
    """

    pipeline: str
    adopted: tuple[AdoptedTrigger, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def source(self) -> str:
        """A module with ``schedules`` and ``events`` for ``ScheduledPipeline``, where there are any."""
        blocks = [*self._imports(), self._heading()]
        for name in ("schedules", "events"):
            entries = [_entry(one) for one in self.adopted if one.argument == name]
            if entries:
                blocks.append(assignment(name, entries))
        blocks += [_block(f"Left out: the {one.record}: {one.reason}.") for one in self.left_out]
        return "\n\n".join(blocks) + "\n"

    def _imports(self) -> Iterator[str]:
        names = frozenset[str]().union(*(names_used(one.call) for one in self.adopted))
        for module, known in _IMPORTS.items():
            used = [name for name in known if name in names]
            if used:
                yield f"from {module} import {', '.join(used)}"

    def _heading(self) -> str:
        records = [*(one.record for one in self.adopted), *(one.record for one in self.left_out)]
        regions = sorted({record.region for record in records})
        where = f" in {', '.join(regions)}" if regions else ""
        first = f"What starts the pipeline {self.pipeline}{where} and belongs to no stack."
        return f"{_block(first)}\n{_block(_NOT_KEPT)}"


def adopt_triggers(
    records: Iterable[TriggerRecord],
    *,
    pipeline: str,
    now: datetime,
    handover: datetime | None = None,
    refused: Iterable[LeftOut] = (),
) -> Adoption:
    """The code for the triggers of a pipeline.

    Args:
        records: those to adopt, in any order.
        pipeline: its name.
        now: aware; what does not run after this is left out.
        handover: aware; the new schedules begin at this moment, and rules are written disabled.
            Default: they begin when they are deployed.
        refused: those that the caller leaves out.
    """
    adopted: list[AdoptedTrigger] = []
    left_out = list(refused)
    for record in sorted(records, key=_order):
        try:
            if record.kind == SCHEDULE:
                adopted.append(adopt_schedule(record, now=now, handover=handover))
            else:
                adopted += adopt_rule(record, handover=handover)
        except OverflowError:
            reason = f"the dates of its runs are out of range, got {record.expression}"
            left_out.append(LeftOut(record=record, reason=reason))
        except CannotAdoptError as error:
            spent = isinstance(error, SpentError)
            left_out.append(LeftOut(record=record, reason=str(error), spent=spent))
    return Adoption(pipeline=pipeline, adopted=tuple(_with_keys(adopted, pipeline)), left_out=tuple(left_out))


def _order(record: TriggerRecord) -> tuple[bool, str, str, str, str]:
    return record.kind != SCHEDULE, record.region, record.group, record.name, record.target_id or ""


def _with_keys(triggers: Sequence[AdoptedTrigger], pipeline: str) -> Iterator[AdoptedTrigger]:
    """The triggers with keys that are unique, and whose physical names none of the old triggers has.

    A rule of the same name would be overwritten. Schedules are in another group; but CloudFormation knows
    a schedule by its name alone (https://github.com/aws/aws-cdk/issues/34216).
    """
    names = {one.record.name.lower() for one in triggers}
    taken: set[str] = set()
    for one in triggers:
        key = _free_key(one, pipeline, names, taken)
        taken.add(key.lower())
        yield replace(one, key=key)


def _free_key(one: AdoptedTrigger, pipeline: str, names: Collection[str], taken: Collection[str]) -> str:
    whole = _pascal(one.record.name)
    short = _pascal(re.sub(rf"^{re.escape(pipeline)}(?=[-_.]|$)", "", one.record.name, flags=re.IGNORECASE))
    fallback = _KEYS[one.factory]
    first = [short or fallback, whole or fallback]
    numbered = (f"{first[0][:_LONGEST_KEY]}{number}" for number in range(2, len(names) + len(taken) + 3))
    candidates = [*first, *numbered]
    return next(
        key for key in candidates if key.lower() not in taken and f"{pipeline}-{key}".lower() not in names
    )


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in _SEPARATORS.split(name))


def _entry(one: AdoptedTrigger) -> Entry:
    comments = (f"The {one.record}.", *(f"{note[:1].upper()}{note[1:]}." for note in one.notes))
    return Entry(key=one.key, value=one.call, comments=comments)


def _block(text: str) -> str:
    return "\n".join(comment(text))
