"""How the CDK writes a value that is known at deploy time only; pure, so that every part can ask."""

from __future__ import annotations

TOKEN = "${Token["
"""What the CDK writes around a token in a string; it has no other kind of string that is a token."""


def holds_token(text: str) -> bool:
    """Whether a string is known at deploy time only, in whole or in part."""
    return TOKEN in text
