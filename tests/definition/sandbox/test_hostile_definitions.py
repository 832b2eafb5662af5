"""A definition that misbehaves gets a clear error, harms no other, and leaves nothing running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference, PipelineDefinition
from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.definition.sandbox import forked

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not forked.POSSIBLE, reason="there are no forks to be misused here"),
]
ROOT = Path(__file__).resolve().parents[3]
SECONDS = 3.0


@pytest.fixture
def compiler() -> Iterator[Compiler]:
    """A compiler whose child has the SDK imported."""
    compiler = Compiler()
    _compile(compiler, "good")
    yield compiler
    compiler.close()


def _compile(compiler: Compiler, function: str, timeout: float = 300) -> None:
    compiler.compile(
        PipelineDefinition.from_function(f"hostile_pipelines:{function}"),
        region="eu-west-1",
        partition="aws",
        pipeline_name="sample",
        values={},
        timeout=timeout,
    )


def _parents() -> dict[int, int]:
    """The parent of each process that has not ended."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    return parents


def _below(process: int) -> set[int]:
    """The processes that descend from one, itself left out."""
    parents = _parents()
    found = {process}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


LATE = rf"did not answer within {SECONDS:g} seconds and was ended"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("leaves_a_process", None),
        ("leaves_a_daemon", None),
        ("exits_and_leaves_a_process", "ended with code 3 before it answered"),
        ("kills_itself", "was ended by signal 9 before it answered"),
        ("hangs_in_another_group", LATE),
        ("hangs_with_no_signals", LATE),
        ("hangs_with_all_files_closed", LATE),
        ("closes_all_files", "Bad file descriptor"),
        ("is_interrupted", r"hostile_pipelines\.py.*KeyboardInterrupt: boo"),
        ("talks_into_every_pipe", "wrote something else than its answer"),
        ("prints_a_lot", None),
    ],
)
def test_the_next_definition_compiles_and_nothing_is_left(
    compiler: Compiler, function: str, message: str | None
) -> None:
    before = _below(os.getpid())
    if message is None:
        _compile(compiler, function, SECONDS)
    else:
        with pytest.raises(DefinitionError, match=f"(?s){message}"):
            _compile(compiler, function, SECONDS)
    _compile(compiler, "good", 2 * SECONDS)
    deadline = time.monotonic() + 20
    while (left := _strays(before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == set()


def _strays(before: set[int]) -> set[int]:
    """What has come since and is no child of this process, as a child that follows another one is."""
    children = {process for process, parent in _parents().items() if parent == os.getpid()}
    return _below(os.getpid()) - before - children


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


def test_one_that_kills_the_child_is_an_error_and_the_next_gets_a_new_one(compiler: Compiler) -> None:
    begun = time.monotonic()
    with pytest.raises(DefinitionError, match="ended with code -9 before it answered"):
        _compile(compiler, "kills_the_child_and_leaves_a_process", SECONDS)
    assert time.monotonic() - begun < 60
    _compile(compiler, "good")


def test_an_upload_of_a_thread_that_no_step_reads_is_refused(compiler: Compiler) -> None:
    with pytest.raises(DefinitionError, match=r"lost/x\.txt was uploaded, but no step reads it"):
        _compile(compiler, "uploads_in_a_thread")


def test_a_daemon_ends_with_the_compiler() -> None:
    before = _orphans()
    compiler = Compiler()
    _compile(compiler, "leaves_a_daemon")
    compiler.close()
    assert _orphans() - before == set()


def test_a_daemon_of_the_first_definition_ends_with_the_compiler_while_that_hangs() -> None:
    """The child has not answered anything yet."""
    before = _below(os.getpid())
    compiler = Compiler()
    function = FunctionReference("hostile_pipelines", "leaves_a_daemon_and_hangs")
    request = CompileRequest(function=function, region="eu-west-1", partition="aws", pipeline_name="sample")
    compiler.prefetch([request])
    deadline = time.monotonic() + 120
    while len(started := _strays(before)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    compiler.close()
    left = [process for process in started if process in _parents()]
    for process in left:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    assert len(started) >= 2  # the fork and the daemon
    assert left == []


def _orphans() -> set[int]:
    """The processes of ours that have no parent any more, and so are children of process 1."""
    alone = {process for process, parent in _parents().items() if parent == 1}
    return {process for process in alone if "scheduled_pipeline" in _command(process)}


def test_nothing_is_left_when_the_app_is_killed(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    path = [str(ROOT / "tests" / "sample_defs"), str(ROOT / "constructs")]
    app.write_text(
        f"import sys\nsys.path[:0] = {path}\n"
        "from scheduled_pipeline.definition.compiler.compiler import Compiler\n"
        "from scheduled_pipeline.definition.compiler.source import PipelineDefinition\n"
        "compiler = Compiler()\n"
        "for function in ('good', 'hangs_in_another_group'):\n"
        "    print(function, flush=True)\n"
        "    compiler.compile(PipelineDefinition.from_function(f'hostile_pipelines:{function}'),\n"
        "        region='eu-west-1', partition='aws', pipeline_name='sample', values={})\n"
    )
    with subprocess.Popen([sys.executable, str(app)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["good\n", "hangs_in_another_group\n"]
        deadline = time.monotonic() + 60
        while len(_below(process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        started = _below(process.pid)
        assert len(started) >= 2
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{one}").exists() for one in started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [one for one in started if Path(f"/proc/{one}").exists()] == []
