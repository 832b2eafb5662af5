"""``Lanes``: the children of one Region and project, each with a thread that gives it work."""

from __future__ import annotations

import contextlib
import queue
import tempfile
import threading
from concurrent.futures import Executor
from pathlib import Path

from scheduled_pipeline.definition.compiler.child_process import Child, ChildEndedError
from scheduled_pipeline.definition.compiler.job import Job
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox.protocol import Surroundings


class Lanes:
    """Gives each of its children one job after the other.

    Args:
        region: the AWS Region.
        project: the project.
        surroundings: what is to be different for the children.
        folder: each child gets a folder of its own in there.
        finishing: where answers are validated and kept, so that a child can go on with the next job.
    """

    def __init__(
        self, region: str, project: Project, surroundings: Surroundings, folder: Path, finishing: Executor
    ) -> None:
        self._region = region
        self._project = project
        self._surroundings = surroundings
        self._folder = folder
        self._finishing = finishing
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._children: set[Child] = set()
        self._closed = False

    def put(self, job: Job) -> None:
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
            child.abandon()

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
                answer = child.ask(job.request, job.seconds)
                self._finishing.submit(job.finish, answer, child.output(), child.staging)
                if not child.forks:
                    child.end()
                    self._children.discard(child)
                    child = None
            except ChildEndedError as error:
                assert child is not None
                function = job.request.function
                job.fail(f"the process that runs {function} {error}; its output:\n{child.output()}")
                self._children.discard(child)
                child = None
            except BaseException as error:  # it is raised where the result is asked for
                job.future.set_exception(error)
        if child is not None:
            child.end()

    def _start(self) -> Child:
        root = Path(tempfile.mkdtemp(dir=self._folder))
        child = Child(root, self._region, self._project, self._surroundings)
        self._children.add(child)
        if self._closed:  # meanwhile
            child.abandon()
        return child
