"""Nothing of a synth stays among the temporary files, not even of one that was killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from scheduled_pipeline.definition.compiler.scratch import remove_abandoned, scratch_folder

HANGS = "def build(context):\n    import time\n    open('begun', 'w').close()\n    time.sleep(600)\n"
SYNTH = """
    import sys
    from scheduled_pipeline.definition.compiler.compiler import shared_compiler
    from scheduled_pipeline.definition.compiler.source import PipelineDefinition

    print("ready", flush=True)
    compiler = shared_compiler()
    if sys.argv[1:]:
        given = {"region": "eu-west-1", "partition": "aws", "pipeline_name": "sample", "values": {}}
        compiler.compile(PipelineDefinition.from_function(sys.argv[1]), **given)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _old(folder: Path) -> Path:
    os.utime(folder, (0, 0))
    return folder


def test_a_folder_goes_with_its_block(temporary: Path) -> None:
    with scratch_folder() as folder:
        (folder / "file").touch()
        assert list(temporary.iterdir()) == [folder]
    assert list(temporary.iterdir()) == []


def test_a_folder_in_use_stays(temporary: Path) -> None:
    with scratch_folder() as folder:
        _old(folder)
        remove_abandoned()
        assert folder.is_dir()


def test_a_folder_has_its_real_name(temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a build function reads under a resolved temporary path is known for ours by it."""
    link = tmp_path / "link"
    link.symlink_to(temporary)
    monkeypatch.setattr(tempfile, "tempdir", str(link))
    with scratch_folder() as folder:
        assert folder.parent == temporary.resolve()


def test_a_folder_in_use_stays_where_there_are_no_locks(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", _refuse)
    with scratch_folder() as folder:
        _old(folder)
        remove_abandoned()
        assert folder.is_dir()
    assert list(temporary.iterdir()) == []


def test_a_fork_leaves_the_folder_to_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, scratch_folder() as folder:
        patched.setattr(os, "getpid", lambda: -1)
    assert folder.is_dir()


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="nothing tells whose child a process is")
def test_the_folder_of_a_process_that_was_killed_is_removed(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    synth = _synth(tmp_path, temporary, "hangs:build")
    deadline = time.monotonic() + 120
    while not (tmp_path / "begun").exists():
        assert synth.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = _children(synth.pid)
    for process in (synth.pid, *children):
        os.kill(process, signal.SIGKILL)
    synth.wait()
    assert children != []
    assert list(temporary.iterdir()) != []
    assert _synth(tmp_path, temporary).wait() == 0
    assert list(temporary.iterdir()) == []


def test_a_folder_that_was_just_made_stays(temporary: Path) -> None:
    (temporary / "scheduled-pipeline-new").mkdir()
    remove_abandoned()
    assert (temporary / "scheduled-pipeline-new").is_dir()


def test_an_old_folder_that_was_never_locked_is_removed(temporary: Path) -> None:
    _old(Path(tempfile.mkdtemp(prefix="scheduled-pipeline-")))
    remove_abandoned()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_another_user_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = _left(temporary)
    monkeypatch.setattr(os, "getuid", lambda: left.stat().st_uid + 1)
    remove_abandoned()
    assert left.is_dir()


def test_a_link_stays_and_so_does_what_it_points_to(temporary: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    left = _left(aside)
    (temporary / "scheduled-pipeline-link").symlink_to(left)
    remove_abandoned()
    assert left.is_dir()
    assert (temporary / "scheduled-pipeline-link").is_symlink()


def test_a_link_in_the_place_of_the_lock_is_not_followed(temporary: Path, tmp_path: Path) -> None:
    left = _left(temporary)
    (left / "lock").rename(tmp_path / "other")
    (left / "lock").symlink_to(tmp_path / "other")
    remove_abandoned()
    assert left.is_dir()


def test_what_cannot_be_removed_is_tried_again(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = _left(temporary)
    (left / "home").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", _refuse)
        remove_abandoned()
    assert (left / "lock").exists()
    remove_abandoned()
    assert list(temporary.iterdir()) == []


def test_other_folders_stay(temporary: Path) -> None:
    (temporary / "another-program").mkdir()
    _old(temporary / "another-program")
    remove_abandoned()
    assert (temporary / "another-program").is_dir()


def _left(parent: Path) -> Path:
    """Make a folder as a killed process leaves it."""
    left = parent / "scheduled-pipeline-left"
    left.mkdir()
    (left / "lock").touch()
    return left


def _children(process: int) -> list[int]:
    """The children of a process, each of which is that of the thread that started it."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _refuse(*args: object, **options: object) -> None:
    raise PermissionError("not yours")


def _synth(folder: Path, temporary: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start what a synth is to the compiler."""
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SYNTH), *arguments],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": path},
        cwd=folder,
    )
