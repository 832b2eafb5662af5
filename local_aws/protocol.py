"""What the server and its clients share: where control requests go, the line at the start, two records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

CONTROL_PREFIX: Final = "/_local_aws/"
READY: Final = "local AWS is ready at "


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to call a target. ``execution_arn`` is set if it succeeded, the error members if not."""

    source_arn: str
    target_arn: str
    time: str
    attempt: int
    request: dict[str, Any] | None = None
    execution_arn: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    dead_letter_queue: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The attempt as plain data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Dangling:
    """An enabled schedule or rule, the pipeline it named, and the call after which that was not there."""

    source_arn: str
    pipeline_arn: str
    after: str

    def to_json(self) -> dict[str, Any]:
        """The record as plain data."""
        return asdict(self)
