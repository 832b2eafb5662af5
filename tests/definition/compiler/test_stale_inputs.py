"""Whatever kind of input changes, the cache does not give what there was before; the run prints a matrix."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kinds_of_input import KINDS, copy_of
from recorded import RecordedProject
from unseen_inputs import UNSEEN

from scheduled_pipeline.definition.sandbox.reads.unseen import names_one_that_does, opens_by_itself

# Where it is right that nothing is kept: nobody knows what was read.
NOT_KEPT = {
    *("process by spawn", "process by forkserver", "process by joblib", "editable, a link"),
    *("pyarrow.csv", "pyarrow.memory_map", "pyarrow.parquet", "pandas.read_parquet"),
    *("SQLite, ATTACH of a parameter", "SQLite, not by connect()", "ctypes", "program gcc"),
    *("ctypes, second on its line", "ctypes, in an archive", "moved to scratch and back"),
    "a hard link in scratch",  # which changes the file: it knows how many names it has
}
# Whether a module with this source may open files without Python.
SOURCES = {
    "import ctypes": True,
    "import os; import ctypes": True,
    "if True: import lxml.etree": True,
    "import os, \\\n    torch as t": True,
    "try:\n    from pyarrow.fs import (\n        S3FileSystem)\nfinally: pass": True,
    "find = __import__; x = __import__('ctypes')": True,
    "import importlib\nimportlib.import_module('xgboost.core')": True,
    "import duckdb": True,
    "a table of torch, not of Python": True,
    "'import ctypes'": False,
    "# import ctypes": False,
    "from . import ctypes": False,
    "import ctypes_like, pandas": False,
    "requirements = ['torch', 'pyarrow']": False,
    "import pyarrowed": False,
}
NATIVE = ["tokenizers", "safetensors.torch", "sentencepiece", "faiss", "lmdb", "python_calamine"]
_seen: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def matrix() -> Iterator[None]:
    yield
    print("\nkind of input                    stale hits")
    for name, result in _seen.items():
        print(f"{name:<32} {result}")


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of a project, which for one kind of input lies in a memory disk."""
    if "/dev/shm" in request.node.name and Path("/dev/shm").is_dir():
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            yield Path(folder) / "project"
    else:
        yield tmp_path / "project"


@pytest.mark.parametrize("name", [*KINDS, *UNSEEN])
def test_a_kind_of_input_that_changes_is_no_stale_hit(name: str, place: Path) -> None:
    if name == "program gcc" and shutil.which("gcc") is None:
        pytest.skip("this machine has no gcc")
    place.mkdir()
    project = RecordedProject(place)
    steps = {**KINDS, **UNSEEN}[name](project)
    path = next(steps)
    before, kept = project.keep(path)
    assert project.found(path) == (before if kept else None)
    path = next(steps)
    found, (after, _) = project.found(path), project.run(path)
    assert before != after, "nothing has changed"
    _seen[name] = str(int(found is not None)) if kept else "not cached"
    assert found is None
    assert kept is (name not in NOT_KEPT)
    assert next(steps, None) is None


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONPATH, another folder", "PYTHONPATH, another outside", "vendored, before site-packages"),
        *(
            "editable, by .pth",
            "editable, by egg-link",
            "editable, by finder",
            "editable, by finder, outside",
        ),
        *("editable, by finder, a module", "archive, an edited module", "sitecustomize", "SQLite, ATTACH"),
    ],
)
def test_a_project_in_another_place_has_the_same_entries(name: str, tmp_path: Path) -> None:
    project = RecordedProject(tmp_path / "here" / "project")
    project.folder.mkdir(parents=True)
    path = next(KINDS[name](project))
    text, kept = project.keep(path)
    assert kept
    other = copy_of(project, tmp_path / "at" / "another" / "place")
    moved = [entry.replace(str(tmp_path / "here"), str(other.folder.parent)) for entry in path]
    assert other.found(moved) == text


def test_what_lies_outside_counts_by_its_content(tmp_path: Path) -> None:
    project = RecordedProject(tmp_path / "project")
    project.folder.mkdir()
    project.define("__import__('sizes').SIZE")
    for place in ("here", "there", "elsewhere"):
        project.write(f"../{place}/sizes.py", f"SIZE = {int(place == 'elsewhere')}")
    text, _ = project.keep(project.path("../here"))
    assert project.found(project.path("../there")) == text
    assert project.found(project.path("../elsewhere")) is None
    assert project.found(project.path("../here", "../there")) is None


@pytest.mark.parametrize("source", SOURCES)
def test_a_module_that_imports_what_opens_files_by_itself_is_known_by_its_source(source: str) -> None:
    assert names_one_that_does(source) is SOURCES[source]


@pytest.mark.parametrize("module", NATIVE)
def test_a_library_that_opens_files_by_itself_is_known(module: str) -> None:
    assert opens_by_itself(module)
