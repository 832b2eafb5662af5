"""``CompileOptions``: how definitions are compiled, as the context of the app says.

It may be said in ``cdk.json`` or with ``cdk synth -c key=value``, whose values are strings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.compiler.cache import FOLDER, CompiledCache, is_own
from scheduled_pipeline.definition.compiler.compiler import DEFAULT_TIMEOUT

CACHE = "scheduled-pipeline:cache"
"""Context key: where compiled definitions are kept, or false for nowhere."""
COMPILE_TIMEOUT = "scheduled-pipeline:compile-timeout"
"""Context key: how many seconds one definition may take."""
SDK_OUTPUT = "scheduled-pipeline:sdk-output"
"""Context key: true to compile everything anew and show what the SDK and build functions print."""


@dataclass(frozen=True)
class CompileOptions:
    """How the definitions of a stack are compiled.

    Attributes:
        cache: where they are kept, or None for nowhere.
        timeout: seconds that one of them may take.
        show_output: whether what the SDK and build functions print is shown.
    """

    cache: CompiledCache | None
    timeout: float
    show_output: bool

    @classmethod
    def of(cls, context: Callable[[str], Any], path: str) -> CompileOptions:
        """Read the options.

        Args:
            context: returns the context value of a key, or None.
            path: names whose context it is, in errors.

        Raises:
            ValueError: a context value is not one of those that are allowed.
        """
        return cls(
            cache=_cache(context(CACHE), path),
            timeout=_timeout(context(COMPILE_TIMEOUT), path),
            show_output=_sdk_output(context(SDK_OUTPUT), path),
        )


def _cache(given: Any, path: str) -> CompiledCache | None:
    text = "true" if given is None else str(given)
    if text.lower() == "false":
        return None
    if not isinstance(given, str | bool | None) or not text:
        raise ValueError(f"{path}: context {CACHE!r} must be a folder, true or false, got {given!r}")
    place = Path.cwd() / (FOLDER if text.lower() == "true" else text)
    _check_own_folder(place, given, path)
    return CompiledCache(place)


def _check_own_folder(place: Path, given: Any, path: str) -> None:
    """Refuse a folder with something else in it: what lies in the cache counts for no definition."""
    real, here = place.resolve(), Path.cwd().resolve()
    others = [found.name for found in place.iterdir() if not is_own(found.name)] if place.is_dir() else []
    if real == here or real in here.parents or others:
        what = f"has {sorted(others)[0]!r} in it" if others else "holds the app"
        raise ValueError(
            f"{path}: context {CACHE!r} must be a folder of its own, got {given!r}, which {what}"
        )


def _timeout(given: Any, path: str) -> float:
    if given is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(given, bool) or not 0 < seconds < float("inf"):
        raise ValueError(
            f"{path}: context {COMPILE_TIMEOUT!r} must be a number of seconds above 0, got {given!r}"
        )
    return seconds


def _sdk_output(given: Any, path: str) -> bool:
    text = "false" if given is None else str(given).lower()
    if not isinstance(given, str | bool | None) or text not in ("true", "false"):
        raise ValueError(f"{path}: context {SDK_OUTPUT!r} must be true or false, got {given!r}")
    return text == "true"
