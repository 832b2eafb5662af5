"""The record of one attempt to start something, as the server keeps it and a client reads it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to call a target. `execution_arn` is set if it succeeded, the error members if not."""

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
