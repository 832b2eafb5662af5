"""``Lanes``: the children of one Region and project, each with a thread that gives it work."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from concurrent.futures import Executor
from pathlib import Path

from scheduled_pipeline.definition.compiler.child_process import Child, ChildEndedError
from scheduled_pipeline.definition.compiler.job import Job
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox.protocol import Surroundings


class Lanes:
    """Gives each of its children one job after the other, those that somebody waits for first.

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
        self._changed = threading.Condition()
        self._waiting: list[Job] = []
        self._running: dict[Job, Child | None] = {}
        self._threads: list[threading.Thread] = []
        self._children: set[Child] = set()
        self._closed = False

    def put(self, job: Job) -> None:
        """Add a job, which the first child that is free takes."""
        self.widen(1)
        with self._changed:
            self._waiting.append(job)
            self._make_room_for(job)
            self._changed.notify()

    def want(self, job: Job) -> None:
        """Say that somebody waits for a job that was put here before anybody did."""
        with self._changed:
            job.wanted.set()
            self._make_room_for(job)

    def widen(self, count: int, *, at_once: bool = False) -> None:
        """Let at least ``count`` children work, each from its first job on, or at once."""
        while len(self._threads) < count:
            thread = threading.Thread(target=self._work, args=[at_once], daemon=True)
            self._threads.append(thread)
            thread.start()

    def abandon(self) -> None:
        """Give up all jobs, also those that a child is at."""
        with self._changed:
            for job in self._waiting:
                job.future.cancel()
            self._waiting.clear()
            for job in self._running:  # that of a child that is only being started, too
                job.given_up.set()
        for child in list(self._children):
            child.abandon()

    def close(self) -> None:
        """End the children and the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.abandon()
        for thread in self._threads:
            thread.join()

    def _make_room_for(self, job: Job) -> None:
        """Give up a job that nobody waits for, if every child is at one and somebody waits for this one."""
        if not job.wanted.is_set() or job not in self._waiting or len(self._running) < len(self._threads):
            return
        for other, child in self._running.items():
            if not other.wanted.is_set() and not other.given_up.is_set():
                other.given_up.set()
                if child is not None:
                    child.cancel()
                return

    def _work(self, at_once: bool) -> None:
        child: Child | None = None
        if at_once:
            with contextlib.suppress(Exception):  # it is raised with the first job
                child = self._start()
        while (job := self._next(child)) is not None:
            try:
                child = self._kept(child) or self._start_for(job)
                self._do(job, child)
            except ChildEndedError as error:
                assert child is not None
                how = f"the process that runs {job.request.function} {error}"
                job.fail(f"{how}; its output:\n{child.output()}", late=error.late)
            except BaseException as error:  # it is raised where the result is asked for
                if child is not None:  # nobody knows what it is at
                    child.abandon()
                job.break_off(error)
            with self._changed:
                del self._running[job]
            child = self._kept(child)
        if child is not None:
            child.end()

    def _kept(self, child: Child | None) -> Child | None:
        """Return a child that can be asked, or end it and return None."""
        if child is None or child.can_be_asked:
            return child
        self._children.discard(child)
        child.end()
        return None

    def _next(self, child: Child | None) -> Job | None:
        """Wait for a job and take it, or return None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            job = next((job for job in self._waiting if job.wanted.is_set()), self._waiting[0])
            self._waiting.remove(job)
            self._running[job] = child
            return job

    def _do(self, job: Job, child: Child) -> None:
        answer = child.ask(job.request, job.seconds, job.given_up)
        if answer is None:
            job.future.cancel()
        else:
            self._finishing.submit(job.finish, answer, child.output(), child.staging)

    def _start_for(self, job: Job) -> Child:
        child = self._start()
        with self._changed:
            self._running[job] = child
        return child

    def _start(self) -> Child:
        root = Path(tempfile.mkdtemp(dir=self._folder))
        child = Child(root, self._region, self._project, self._surroundings)
        self._children.add(child)
        if self._closed:  # meanwhile
            child.abandon()
        return child
