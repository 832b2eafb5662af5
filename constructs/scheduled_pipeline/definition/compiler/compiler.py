"""``Compiler``: takes definitions out of the cache, or compiles them in child processes."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.job import Job, Outcome
from scheduled_pipeline.definition.compiler.keeper import Keeper
from scheduled_pipeline.definition.compiler.lanes import Lanes
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.scratch import remove_abandoned, scratch_folder
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox.protocol import Guard, Surroundings
from scheduled_pipeline.definition.validation import service_models

DEFAULT_TIMEOUT = 300.0
"""Seconds that one definition may take, the import of the SDK included."""

# A second child pays when it saves more than the import of the SDK costs: so many definitions each.
_WORTH_A_CHILD = 10

_Key = tuple[str, Project, CompiledCache | None]


class Compiler:
    """Compiles build functions, in a child process for each Region.

    Use ``shared_compiler()``, so that the import of the SDK, which takes seconds, is paid for once a synth
    and Region, and not at all where everything is in the cache: then no process is started.

    Attributes:
        guard: what has kept the last definition that was compiled from the network; None before.

    Args:
        surroundings: what is to be different for the children. Default: nothing.
    """

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self.guard: Guard | None = None
        self._surroundings = surroundings or Surroundings()
        self._folders = contextlib.ExitStack()
        self._keeper = Keeper()
        # One thread validates for all children, so that each goes on at once and no model is read twice.
        self._finishing = ThreadPoolExecutor(max_workers=1)
        self._models_wanted = False
        self._lanes: dict[tuple[str, Project], Lanes] = {}
        self._ahead: dict[_Key, CompiledPipeline | Job] = {}
        self._early: set[_Key] = set()

    def compile(
        self,
        definition: PipelineDefinition,
        *,
        region: str,
        partition: str,
        pipeline_name: str,
        values: Mapping[str, Value],
        show_output: bool = False,
        cache: CompiledCache | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> CompiledPipeline:
        """Compile ``definition``, or return it if it was made elsewhere.

        Args:
            definition: what to compile.
            region: as in ``CompileRequest``.
            partition: as there.
            pipeline_name: as there.
            values: as there.
            show_output: compile anew, and show what the SDK and the build function print.
            cache: where to look first, and to keep the result. Default: nowhere.
            timeout: seconds that it may take.

        Raises:
            DefinitionError: the build function cannot be found, raised, reached for the network, took too
                long, or what it made is not a pipeline definition.
        """
        if definition.compiled is not None:
            return definition.compiled
        assert definition.function is not None  # one of the two is always set
        given = {"region": region, "partition": partition, "pipeline_name": pipeline_name}
        request = CompileRequest(function=definition.function, values=values, **given)
        found = self._look_up(request, cache, timeout, anew=show_output)
        if isinstance(found, CompiledPipeline):
            return found
        outcome = self._wait(found.future)
        if show_output:
            sys.stderr.write(outcome.output)
        if outcome.compiled is None:
            raise DefinitionError(outcome.error)
        self.guard = outcome.guard
        return outcome.compiled

    def prefetch(
        self,
        requests: Iterable[CompileRequest],
        *,
        cache: CompiledCache | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        early: bool = False,
    ) -> None:
        """Begin to compile many definitions; returns at once.

        ``compile`` with the same arguments waits for the one it asks for and takes it. Nothing is begun for
        what is in the cache, and nothing is raised here: an error is raised by ``compile``.

        As many children work as the machine has cores, if there is enough for each to do.

        Args:
            requests: what will be asked for, in the order in which it will be.
            cache: the one that ``compile`` will be given.
            timeout: seconds that each may take.
            early: whether nobody knows yet that they will be asked for, and files may still change until
                then, as when the app writes some. ``compile`` takes only what the cache says is right at that
                time, and what nobody has asked for is given up where it keeps back what somebody has.
                Default: they will be, and files do not change.
        """
        project = project_of(cache)
        missing: dict[str, list[CompileRequest]] = {}
        for request in requests:
            key = (request.text, project, cache)
            found = cache.find(request, project) if cache is not None and key not in self._ahead else None
            if found is not None and not early:
                self._ahead[key] = found
            elif found is None and key not in self._ahead:
                missing.setdefault(request.region, []).append(request)
        for region, wanted in missing.items():
            children = min(os.cpu_count() or 1, 1 + (len(wanted) - 1) // _WORTH_A_CHILD)
            self._lanes_of(region, project).widen(children)
            for request in wanted:
                key = (request.text, project, cache)
                if key not in self._ahead:
                    self._ahead[key] = self._submit(request, project, cache, timeout, wanted=not early)
                    if early:
                        self._early.add(key)

    def start(self, region: str, *, cache: CompiledCache | None = None) -> None:
        """Begin to import the SDK for a Region in which something is going to be compiled; returns at once.

        Args:
            region: the AWS Region.
            cache: the one that ``compile`` will be given.
        """
        self._lanes_of(region, project_of(cache)).widen(1, at_once=True)

    def close(self) -> None:
        """End the child processes and remove what they wrote. The files of uploads are gone after this."""
        for lanes in self._lanes.values():
            lanes.close()
        self._lanes.clear()
        self._finishing.shutdown()
        self._keeper.close()
        self._folders.close()

    def _look_up(
        self, request: CompileRequest, cache: CompiledCache | None, seconds: float, *, anew: bool
    ) -> CompiledPipeline | Job:
        """Return what the cache has, or what is being compiled, if need be from now on."""
        project = project_of(cache)
        if cache is not None:
            self._keeper.note(cache, request)
        key = (request.text, project, cache)
        ahead = self._ahead.pop(key, None)
        if isinstance(ahead, Job) and key in self._early:
            self._lanes_of(request.region, project).want(ahead)
            if self._is_late(ahead):
                return ahead
            ahead = None
        if isinstance(ahead, Job) or (ahead is not None and not anew):
            return ahead
        found = cache.find(request, project) if cache is not None and not anew else None
        return found or self._submit(request, project, cache, seconds, wanted=True)

    def _is_late(self, job: Job) -> bool:
        """Wait for a job; whether its time was over, which nobody wants to see a second time."""
        try:
            return self._wait(job.future).late
        except CancelledError:
            return False

    def _submit(
        self,
        request: CompileRequest,
        project: Project,
        cache: CompiledCache | None,
        seconds: float,
        *,
        wanted: bool,
    ) -> Job:
        job = Job(request, project, cache, seconds, self._keeper)
        if wanted:
            job.wanted.set()
        self._lanes_of(request.region, project).put(job)
        return job

    def _lanes_of(self, region: str, project: Project) -> Lanes:
        key = (region, project)
        if key not in self._lanes:
            folder = self._folders.enter_context(scratch_folder())
            self._lanes[key] = Lanes(region, project, self._surroundings, folder, self._finishing)
        return self._lanes[key]

    def _wait(self, future: Future[Outcome]) -> Outcome:
        if not future.done() and not self._models_wanted:
            self._models_wanted = True
            self._finishing.submit(service_models.load_ahead)  # beside the child's import of the SDK
        try:
            return future.result()
        except BaseException:
            if not future.done():  # an interrupt: nobody will ask for what the children are at
                for lanes in self._lanes.values():
                    lanes.abandon()
                self._ahead.clear()
            raise


def project_of(cache: CompiledCache | None) -> Project:
    """Return the project that this process belongs to, for which what the cache writes does not count."""
    return _project_of(str(Path.cwd()), tuple(sys.path), "" if cache is None else str(cache.folder))


@lru_cache(maxsize=8)
def _project_of(folder: str, path: tuple[str, ...], ignored: str) -> Project:
    return Project.of(folder, path, [ignored] if ignored else [])


@cache
def shared_compiler() -> Compiler:
    """Return the compiler of this process; it is closed when the process ends."""
    remove_abandoned()
    compiler = Compiler()
    atexit.register(compiler.close)
    return compiler
