"""``StartValue``: what a value may be that is known only when a pipeline is started."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StartValue:
    """What EventBridge puts in the place of a path into an event, or of a context attribute.

    Attributes:
        words: what it is, such as ``a time``.
        sample: one such value.
        pattern: a regular expression that all such values match as a whole.
    """

    words: str
    sample: str
    pattern: str = ".*"

    def may_be(self, text: str) -> bool:
        """Whether it can have a text."""
        return re.fullmatch(self.pattern, text, re.DOTALL) is not None

    def __str__(self) -> str:
        return f"{self.words} such as {self.sample}"
