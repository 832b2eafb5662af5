"""What is found when a deployment is compared with its templates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scheduled_pipeline.cli.drift.values import Comparison, Difference


class Result(StrEnum):
    """How a resource in the account is, seen from the templates."""

    CHANGED = "changed"
    MISSING = "missing"
    STRAY = "stray"
    WAITING = "not deployed"
    UNCOMPARED = "not compared"
    REVERTED = "reverted"
    FAILED = "failed"
    UNTRIED = "not tried"


DRIFT = frozenset({Result.CHANGED, Result.MISSING, Result.STRAY, Result.FAILED, Result.UNTRIED})
"""The results that count as drift."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A resource of which there is something to say.

    Attributes:
        stack: name of the stack; of a stray, of the stack that has its group.
        region: where it is.
        kind: ``schedule``, ``schedule group``, ``rule`` or ``pipeline``.
        group: the schedule group or the event bus; nothing for the others.
        name: physical name.
        logical_id: in the template; nothing for a stray.
        result: how it is.
        fields: where it differs from the template.
        not_compared: fields that could not be compared, each with the reason.
        note: what it means, and what to do.
        error: why it could not be put back.
        declared: what it is put back from; nothing where it cannot be.
    """

    stack: str
    region: str
    kind: str
    group: str | None = None
    name: str
    logical_id: str | None = None
    result: Result
    fields: tuple[Difference, ...] = ()
    not_compared: tuple[str, ...] = ()
    note: str | None = None
    error: str | None = None
    declared: Any = None

    def __str__(self) -> str:
        place = self.name if self.group is None else f"{self.group}/{self.name}"
        return f"{self.kind} {place} in {self.region}"

    @property
    def drifted(self) -> bool:
        """Whether it is drift."""
        return self.result in DRIFT

    @property
    def can_be_put_back(self) -> bool:
        """Whether it is there and has been changed."""
        return self.result is Result.CHANGED and self.declared is not None


def paused(comparison: Comparison) -> str | None:
    """What a changed state means, if that is among the differences."""
    for one in comparison.differences:
        if one.field == "State" and one.account == "DISABLED":
            return "it was disabled by hand and starts nothing"
        if one.field == "State" and one.template == "DISABLED":
            return "the template has it disabled, and it runs nevertheless"
    return None
