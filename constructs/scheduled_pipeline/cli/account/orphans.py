"""Find orphans: triggers whose pipeline does not exist, or that nothing owns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.owners import Owner, read_owners
from scheduled_pipeline.cli.account.pipeline_lookup import Existence, PipelineLookup
from scheduled_pipeline.cli.account.scan import Progress, scan
from scheduled_pipeline.cli.account.trigger_records import PipelineReference, TriggerRecord


class Reason(StrEnum):
    """Why a trigger is an orphan."""

    MISSING_PIPELINE = "missing-pipeline"
    UNOWNED = "unowned"


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """A trigger whose pipeline does not exist, or that nothing owns.

    Attributes:
        record: the trigger, with its owner.
        existence: of its pipeline.
        owner: what owns it, if anything does.
    """

    record: TriggerRecord
    existence: Existence
    owner: Owner | None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Return the reasons why a trigger is an orphan; a trigger without a reason is not one."""
        missing = [Reason.MISSING_PIPELINE] if self.existence is Existence.NO else []
        return (*missing, *([Reason.UNOWNED] if self.owner is None else []))

    @property
    def kept_because(self) -> str | None:
        """Return why this trigger is never deleted and what to do instead, or nothing if it can be."""
        if self.owner is not None:
            return self.owner.advice(self.record)
        if self.existence is Existence.UNKNOWN:
            return "kept, as its pipeline cannot be checked"
        return None

    @property
    def note(self) -> str:
        """The reasons in words, and what else to know."""
        record, parts = self.record, []
        if self.existence is Existence.NO and record.pipeline is not None:
            parts.append(f"pipeline {record.pipeline.name} does not exist in {record.pipeline.region}")
        if record.pipeline is None:
            parts.append("its input does not name a pipeline")
        elif self.existence is Existence.UNKNOWN:
            parts.append(_why_unknown(record, record.pipeline))
        parts.append("no stack owns it" if self.owner is None else "")
        parts.append(self.kept_because or "")
        if self.kept_because is None and record.other_targets:
            parts.append("the rule has other targets and keeps them")
        return "; ".join(part for part in parts if part)


def _why_unknown(record: TriggerRecord, pipeline: PipelineReference) -> str:
    if pipeline.account != record.account:
        return f"its pipeline is in account {pipeline.account}"
    if pipeline.region != record.region:
        return f"its pipeline is in {pipeline.region}, which cannot be asked"
    return f"{pipeline.named!r} cannot be the name of a pipeline"


def find_orphans(aws: Aws, region: str, progress: Progress) -> Iterator[Orphan]:
    """The orphans of a Region, as they are found.

    Calls what ``scan``, ``read_owners`` and ``PipelineLookup.confirmed`` call.
    """
    pipelines = PipelineLookup(aws)
    owners = read_owners(aws, region, progress)
    for record in scan(aws, region, details=False, progress=progress):
        owner = owners.of(record)
        owned = record.owned_by(None if owner is None else owner.name)
        found = Orphan(record=owned, existence=pipelines.confirmed(record), owner=owner)
        if found.reasons:
            yield found
