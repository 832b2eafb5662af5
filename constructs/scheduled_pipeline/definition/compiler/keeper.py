"""``Keeper``: what one process puts into the caches of compiled pipelines."""

from __future__ import annotations

import contextlib
import sys

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.project import Project, Reads


class Keeper:
    """Keeps results and what was asked for; a cache that cannot be written to is no error."""

    def __init__(self) -> None:
        self._stored_in: set[CompiledCache] = set()
        self._asked: dict[CompiledCache, dict[str, CompileRequest]] = {}
        self._complained = False

    def note(self, cache: CompiledCache, request: CompileRequest) -> None:
        """Take down what was asked for, so that the next synth can begin with it."""
        self._asked.setdefault(cache, {})[request.text] = request

    def keep(
        self,
        cache: CompiledCache,
        request: CompileRequest,
        project: Project,
        reads: Reads,
        compiled: CompiledPipeline,
    ) -> None:
        """Store what a request was compiled to; the first time that this fails, there is a warning."""
        try:
            cache.store(request, project, reads, compiled)
            self._stored_in.add(cache)
        except OSError as error:
            if not self._complained:
                self._complained = True
                sys.stderr.write(f"warning: the cache of compiled pipelines cannot be written to: {error}\n")

    def close(self) -> None:
        """Bring the caches within their bounds, and write down what was asked for."""
        for stored in self._stored_in:
            with contextlib.suppress(OSError):  # another synth may be at it too
                stored.trim()
        for used, asked in self._asked.items():
            with contextlib.suppress(OSError):
                used.remember(asked.values())
        self._stored_in.clear()
        self._asked.clear()
