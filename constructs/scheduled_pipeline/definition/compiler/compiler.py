"""``Compiler``: takes definitions out of the cache, or compiles them in child processes."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.child_process import Child, ChildEndedError
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.packed import unpack
from scheduled_pipeline.definition.project import Project

DEFAULT_TIMEOUT = 300.0
"""Seconds that one definition may take, the import of the SDK included."""

# A second child pays when it saves more than the import of the SDK costs: so many definitions each.
_WORTH_A_CHILD = 10

_Key = tuple[str, Project, CompiledCache | None]


@dataclass(frozen=True)
class _Outcome:
    """What came of a request: one of the two, and what was printed meanwhile."""

    compiled: CompiledPipeline | None
    error: str
    output: str


@dataclass(frozen=True)
class _Job:
    request: CompileRequest
    cache: CompiledCache | None
    seconds: float
    future: Future[_Outcome]


class Compiler:
    """Compiles build functions, in a child process for each Region.

    Use `shared_compiler()`, so that the import of the SDK, which takes seconds, is paid for once a synth and
    Region, and not at all where everything is in the cache: then no process is started.

    Args:
        surroundings: what is to be different for the children; see ``surroundings.change``, and
            ``hash_seed``. Default: nothing.
    """

    def __init__(self, surroundings: Mapping[str, Any] | None = None) -> None:
        self._directories = contextlib.ExitStack()
        self._surroundings = dict(surroundings or {})
        self._lanes: dict[tuple[str, Project], _Lanes] = {}
        self._ahead: dict[_Key, CompiledPipeline | Future[_Outcome]] = {}
        self._early: set[_Key] = set()
        self._stored_in: set[CompiledCache] = set()
        self._asked: dict[CompiledCache, dict[str, CompileRequest]] = {}
        self._complained = False

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
        outcome = self._wait(found)
        if show_output:
            sys.stderr.write(outcome.output)
        if outcome.compiled is None:
            raise DefinitionError(outcome.error)
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
        what is in the cache, and nothing is raised here: an error is raised by ``compile``. What nobody asks
        for in the end costs its time, and is in the cache for the next synth.

        As many children work as the machine has cores, if there is enough for each to do.

        Args:
            requests: what will be asked for, in the order in which it will be.
            cache: the one that ``compile`` will be given.
            timeout: seconds that each may take.
            early: whether files may still change before ``compile`` is called, as when the app writes some;
                it then takes only what the cache says is right at that time. Default: they do not.
        """
        project = _project(cache)
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
                    self._ahead[key] = self._submit(request, project, cache, timeout)
                    if early:
                        self._early.add(key)

    def start(self, region: str, *, cache: CompiledCache | None = None) -> None:
        """Begin to import the SDK for a Region in which something is going to be compiled; returns at once.

        Args:
            region: the AWS Region.
            cache: the one that ``compile`` will be given.
        """
        self._lanes_of(region, _project(cache)).widen(1, at_once=True)

    def close(self) -> None:
        """End the child processes and remove what they wrote. The files of uploads are gone after this."""
        for lanes in self._lanes.values():
            lanes.close()
        self._lanes.clear()
        for stored in self._stored_in:
            with contextlib.suppress(OSError):  # another synth may be at it too
                stored.trim()
        for used, asked in self._asked.items():
            with contextlib.suppress(OSError):
                used.remember(asked.values())
        self._stored_in.clear()
        self._asked.clear()
        self._directories.close()

    def _look_up(
        self, request: CompileRequest, cache: CompiledCache | None, seconds: float, *, anew: bool
    ) -> CompiledPipeline | Future[_Outcome]:
        """Return what the cache has, or what is being compiled, if need be from now on."""
        project = _project(cache)
        if cache is not None:
            self._asked.setdefault(cache, {})[request.text] = request
        key = (request.text, project, cache)
        ahead = self._ahead.pop(key, None)
        if isinstance(ahead, Future) and key in self._early:
            self._wait(ahead)
            ahead = None
        if isinstance(ahead, Future) or (ahead is not None and not anew):
            return ahead
        found = cache.find(request, project) if cache is not None and not anew else None
        return found or self._submit(request, project, cache, seconds)

    def _submit(
        self, request: CompileRequest, project: Project, cache: CompiledCache | None, seconds: float
    ) -> Future[_Outcome]:
        job = _Job(request, cache, seconds, Future())
        self._lanes_of(request.region, project).put(job)
        return job.future

    def _lanes_of(self, region: str, project: Project) -> _Lanes:
        key = (region, project)
        if key not in self._lanes:
            self._lanes[key] = _Lanes(self, region, project)
        return self._lanes[key]

    def _wait(self, future: Future[_Outcome]) -> _Outcome:
        try:
            return future.result()
        except BaseException:  # an interrupt: nobody will ask for what the children are at
            for lanes in self._lanes.values():
                lanes.abandon()
            self._ahead.clear()
            raise

    def start_child(self, region: str, project: Project) -> Child:
        """Start a child process."""
        # Not a TemporaryDirectory: at exit that would be gone before `close` has ended the child.
        root = Path(tempfile.mkdtemp(prefix="scheduled-pipeline-"))
        self._directories.callback(shutil.rmtree, root, ignore_errors=True)
        return Child(root, region, project, self._surroundings)

    def run(self, job: _Job, child: Child, project: Project) -> _Outcome:
        """Have a child do a job, and keep what comes of it in the cache.

        Raises:
            ChildEndedError: the child ended on the way.
        """
        request = job.request
        asked = {**request.fields, "staging": str(child.staging)}
        answer = child.ask(asked, job.seconds)
        output = child.output()
        if "compiled" not in answer:
            return _Outcome(
                None,
                answer.get("refusal") or f"the build function {request.function} {answer['error']}",
                output,
            )
        if job.cache is not None and answer["reads"] is not None:
            self._store(job.cache, request, project, answer, child.staging)
        source = f"the build function {request.function}"
        return _Outcome(unpack(answer["compiled"], child.staging, source), "", output)

    def _store(
        self,
        cache: CompiledCache,
        request: CompileRequest,
        project: Project,
        answer: Mapping[str, Any],
        staging: Path,
    ) -> None:
        try:
            cache.store(request, project, answer["reads"], answer["compiled"], staging)
            self._stored_in.add(cache)
        except OSError as error:
            if not self._complained:
                self._complained = True
                sys.stderr.write(f"warning: the cache of compiled pipelines cannot be written to: {error}\n")


class _Lanes:
    """The children of one Region and project: each has a thread that gives it one job after the other."""

    def __init__(self, compiler: Compiler, region: str, project: Project) -> None:
        self._compiler = compiler
        self._region = region
        self._project = project
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._children: set[Child] = set()
        self._closed = False

    def put(self, job: _Job) -> None:
        """Add a job, which the first child that is free takes."""
        self._jobs.put(job)
        self.widen(1)

    def widen(self, count: int, *, at_once: bool = False) -> None:
        """Let at least ``count`` children work, each from its first job on, or at once."""
        while len(self._threads) < count:
            thread = threading.Thread(target=self._work, args=[at_once], daemon=True)
            self._threads.append(thread)
            thread.start()

    def abandon(self) -> None:
        """Give up all jobs, also those that a child is at."""
        while not self._jobs.empty():
            self._jobs.get()
        for child in list(self._children):
            child.kill()

    def close(self) -> None:
        """End the children and the threads."""
        self._closed = True
        self.abandon()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, at_once: bool) -> None:
        child: Child | None = None
        if at_once:
            with contextlib.suppress(OSError):  # it is raised with the first job
                child = self._start()
        while (job := self._jobs.get()) is not None:
            try:
                child = child or self._start()
                job.future.set_result(self._compiler.run(job, child, self._project))
            except ChildEndedError as error:
                assert child is not None
                text = f"the process that runs {job.request.function} {error}; its output:\n{child.output()}"
                job.future.set_result(_Outcome(None, text, ""))
                self._children.discard(child)
                child = None
            except BaseException as error:  # it is raised where the result is asked for
                job.future.set_exception(error)
        if child is not None:
            child.end()

    def _start(self) -> Child:
        child = self._compiler.start_child(self._region, self._project)
        self._children.add(child)
        if self._closed:  # meanwhile
            child.kill()
        return child


def _project(cache: CompiledCache | None) -> Project:
    return _project_of(str(Path.cwd()), tuple(sys.path), "" if cache is None else str(cache.folder))


@lru_cache(maxsize=8)
def _project_of(folder: str, path: tuple[str, ...], ignored: str) -> Project:
    return Project.of(folder, path, [ignored] if ignored else [])


@cache
def shared_compiler() -> Compiler:
    """Return the compiler of this process; it is closed when the process ends."""
    compiler = Compiler()
    atexit.register(compiler.close)
    return compiler
