"""Findings of a static gate against the reasons that are written down for them."""

from __future__ import annotations

import re
from collections.abc import Iterable

Finding = tuple[str, str]


def without_a_reason(findings: Iterable[Finding], reasons: Iterable[Finding]) -> set[Finding]:
    """The findings, each a rule and a place, that no reason covers: a pair of regular expressions."""
    known = list(reasons)
    return {finding for finding in findings if not any(_covers(reason, finding) for reason in known)}


def unused(findings: Iterable[Finding], reasons: Iterable[Finding]) -> set[Finding]:
    """The reasons that cover no finding."""
    found = list(findings)
    return {reason for reason in reasons if not any(_covers(reason, finding) for finding in found)}


def _covers(reason: Finding, finding: Finding) -> bool:
    return all(re.fullmatch(pattern, text) for pattern, text in zip(reason, finding, strict=True))
