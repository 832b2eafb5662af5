"""``warm_up``: compile what has changed while the CDK is still loading."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from scheduled_pipeline.definition.cache import FOLDER, CompiledCache
from scheduled_pipeline.definition.compiler import shared_compiler


def warm_up(cache: str | PathLike[str] = FOLDER) -> None:
    """Begin to compile those definitions of the last synth that have changed since; returns at once.

    Call it first in ``app.py``, before the CDK is imported. If nothing has changed, or nobody knows what the
    last synth asked for, nothing is started. What comes of it is the same with and without it.

    Args:
        cache: the folder of the cache, if the context gives another one.
    """
    found = CompiledCache(Path.cwd() / cache)
    shared_compiler().prefetch(found.remembered(), cache=found)
