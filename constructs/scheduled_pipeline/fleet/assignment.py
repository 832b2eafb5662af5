"""Which stack of a fleet a pipeline is in: made from its name alone, so that no other pipeline has a say."""

from __future__ import annotations

import hashlib

_MULTIPLIER = 2862933555777941757


def stack_id(name: str, stacks: int) -> str:
    """Return the id of the stack, ``Stack00`` to ``Stack<stacks - 1>``, for the pipeline ``name``.

    This is the jump consistent hash of Lamping and Veach (https://arxiv.org/abs/1406.2294): with one stack
    more, one pipeline in ``stacks + 1`` moves, and only to the new stack.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    bucket, following = 0, 0
    while following < stacks:
        bucket = following
        key = (key * _MULTIPLIER + 1) & 0xFFFFFFFFFFFFFFFF
        following = int((bucket + 1) * ((1 << 31) / ((key >> 33) + 1)))
    return f"Stack{bucket:02d}"
