"""The record of a trigger that pointed at a pipeline that was not there, as server and client share it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Dangling:
    """An enabled schedule or rule, the pipeline it named, and the call after which that was not there."""

    source_arn: str
    pipeline_arn: str
    after: str

    def to_json(self) -> dict[str, Any]:
        """The record as plain data."""
        return asdict(self)
