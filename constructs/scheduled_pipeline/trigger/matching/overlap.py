"""Whether a trigger lets through what the pipeline itself brings about."""

from __future__ import annotations

from enum import IntEnum


class Overlap(IntEnum):
    """How sure it is that two things meet."""

    NEVER = 0
    POSSIBLE = 1
    CERTAIN = 2
