"""A lane goes on after whatever has come of a job, with a child that can still be asked."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.definition.compiler import child_process
from scheduled_pipeline.definition.compiler import lanes as lanes_module
from scheduled_pipeline.definition.compiler.child_process import Child
from scheduled_pipeline.definition.compiler.job import Job
from scheduled_pipeline.definition.compiler.keeper import Keeper
from scheduled_pipeline.definition.compiler.lanes import Lanes
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox import protocol
from scheduled_pipeline.definition.sandbox.protocol import Refused, Surroundings

# Answers each request at once, and needs no SDK for it.
_ANSWERS = f"import sys\nfor _ in sys.stdin: print({protocol.write(Refused('it was here'))!r}, flush=True)"
SECONDS = 20.0
PROJECT = Project.of(str(Path.cwd()), sys.path)


@pytest.fixture(params=[True, False], ids=["forks", "a process each"])
def forks(request: pytest.FixtureRequest) -> bool:
    """Whether a child can be asked again."""
    return bool(request.param)


@pytest.fixture
def started(forks: bool, monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    """The children that were started, which answer what is asked without the SDK."""
    children: list[Child] = []

    class Counted(Child):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, forks=forks)
            children.append(self)

    monkeypatch.setattr(child_process, "_BOOT", _ANSWERS)
    monkeypatch.setattr(lanes_module, "Child", Counted)
    return children


@pytest.fixture
def lanes(tmp_path: Path, started: list[Child]) -> Iterator[Lanes]:
    with ThreadPoolExecutor(max_workers=1) as finishing:
        lanes = Lanes("eu-west-1", PROJECT, Surroundings(), tmp_path, finishing)
        yield lanes
        lanes.close()


def _job() -> Job:
    request = CompileRequest(
        function=FunctionReference("module", "build"),
        region="eu-west-1",
        partition="aws",
        pipeline_name="lab",
    )
    job = Job(request, PROJECT, None, SECONDS, Keeper())
    job.wanted.set()
    return job


def _error(lanes: Lanes, job: Job) -> str:
    lanes.put(job)
    return job.future.result(SECONDS).error


def _idle(lanes: Lanes, started: list[Child], forks: bool) -> Child:
    """Return a child that waits for a job."""
    if forks:
        assert _error(lanes, _job()) == "it was here"
    else:
        lanes.widen(1, at_once=True)
        _wait_for(lambda: lanes._children)
    return started[0]


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_that_was_given_up_while_it_was_idle_gets_no_job(
    lanes: Lanes, started: list[Child], forks: bool
) -> None:
    _idle(lanes, started, forks)
    lanes.abandon()
    assert _error(lanes, _job()) == "it was here"
    assert len(started) == 2


def test_a_child_that_has_ended_while_it_was_idle_gets_no_job(
    lanes: Lanes, started: list[Child], forks: bool
) -> None:
    process = _idle(lanes, started, forks)._process
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert _error(lanes, _job()) == "it was here"
    assert len(started) == 2


def test_a_child_whose_job_broke_here_gets_no_other_one(
    lanes: Lanes, started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    really_do = Lanes._do

    def do_and_break(self: Lanes, job: Job, child: Child) -> None:
        child.ask(job.request, job.seconds, job.given_up)
        raise RuntimeError("broken here")

    monkeypatch.setattr(Lanes, "_do", do_and_break)
    broken = _job()
    lanes.put(broken)
    with pytest.raises(RuntimeError, match="broken here"):
        broken.future.result(SECONDS)
    monkeypatch.setattr(Lanes, "_do", really_do)
    assert _error(lanes, _job()) == "it was here"
    assert len(started) == 2
    assert started[0]._process.poll() is not None


def test_what_keeps_a_child_from_starting_ahead_is_raised_with_the_first_job(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def break_it(*arguments: object) -> Child:
        tried.set()
        raise ModuleNotFoundError("No module named 'tzdata'")

    with monkeypatch.context() as patched:
        patched.setattr(lanes_module, "Child", break_it)
        lanes.widen(1, at_once=True)
        assert tried.wait(SECONDS)
        job = _job()
        lanes.put(job)
        with pytest.raises(ModuleNotFoundError, match="tzdata"):
            job.future.result(SECONDS)
    assert _error(lanes, _job()) == "it was here"


def test_a_child_that_was_not_asked_is_kept_for_the_next_job(lanes: Lanes, started: list[Child]) -> None:
    lanes.widen(1, at_once=True)
    _wait_for(lambda: lanes._children)
    given_up = _job()
    given_up.given_up.set()
    lanes.put(given_up)
    with pytest.raises(CancelledError):
        given_up.future.result(SECONDS)
    assert _error(lanes, _job()) == "it was here"
    assert len(started) == 1


def test_a_job_that_was_given_up_while_its_child_was_started_is_not_done(
    lanes: Lanes, started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, really_start = threading.Event(), threading.Event(), Lanes._start

    def start_later(self: Lanes) -> Child:
        begun.set()
        go_on.wait(SECONDS)
        return really_start(self)

    monkeypatch.setattr(Lanes, "_start", start_later)
    job = _job()
    lanes.put(job)
    assert begun.wait(SECONDS)
    lanes.abandon()
    go_on.set()
    with pytest.raises(CancelledError):
        job.future.result(SECONDS)
    assert _error(lanes, _job()) == "it was here"
    assert len(started) == 1


def test_the_working_directory_has_no_say_in_how_a_child_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what stands in ``sys.path`` has."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "json.py").write_text("raise RuntimeError('imported from the working directory')")
    monkeypatch.setattr(child_process, "_BOOT", f"import json\n{_ANSWERS}")
    child = Child(tmp_path / "child", "eu-west-1", Project.of(str(project), sys.path))
    child.ask(_job().request, SECONDS, threading.Event())
    child.end()
