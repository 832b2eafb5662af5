"""`scheduled-pipeline verify`: a definition that is not the same twice is named, with the place in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab
from typer.testing import CliRunner

from scheduled_pipeline.cli.main import app
from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.sandbox.protocol import FILTER, NAMESPACE

pytestmark = pytest.mark.process
PLACE = "Steps[0].Arguments.ErrorMessage"
DIFFERING = {
    "date_today": "from datetime import date\ndef text(context): return date.today()",
    "date_of_module": "import datetime\ndef text(context): return datetime.date.today()",
    "the_year": "from datetime import datetime, UTC\ndef text(context): return datetime.now(UTC).year",
    "the_minute": "import time\ndef text(context): return time.strftime('%M')",
    "local_time": "import time\ndef text(context): return time.localtime().tm_mon",
    "unix_time": "import time\ndef text(context): return int(time.time())",
    "order_of_a_set": "def text(context): return list({f'name{n}' for n in range(50)})",
    "order_of_a_folder": "def text(context): return [p.name for p in HERE.glob('*.py')]",
    # New files are the first ones there, so that these come from the last to the first.
    "order_in_memory": "import os\ndef text(context): return os.listdir(context.value('MEMORY'))",
    "order_of_a_scan": """
        import os
        def text(context): return [entry.name for entry in os.scandir(context.value('MEMORY'))]
        """,
    "order_of_listdir": "import os\ndef text(context): return os.listdir(HERE)",
    "a_uuid": "import uuid\ndef text(context): return uuid.uuid4()",
    "secret": "import secrets\ndef text(context): return secrets.token_hex()",
}
SAME = {
    "constant": "def text(context): return 'a'",
    "sorted_set": "def text(context): return sorted({f'name{n}' for n in range(50)})",
    "sorted_folder": "def text(context): return sorted(p.name for p in HERE.glob('*.py'))",
    "seeded": "import random\ndef text(context): return random.random()",
    "given_date": "from datetime import date\ndef text(context): return isinstance(date(2026, 1, 1), date)",
    "values": "def text(context): return [context.value('A'), context.value('B'), context.value('C')]",
    "name_by_the_sdk": """
        from sagemaker.core.common_utils import name_from_base
        def text(context): return name_from_base("name")
        """,
    "kinds_of_dates": """
        import datetime as module
        from datetime import date, datetime
        def text(context):
            now = datetime.now()
            return [type(now) is datetime, type(now.date()) is date, module.datetime.__mro__[1] is date]
        """,
}
# What a module with a function for @step may hold of the clock, the files and the random numbers.
HELD = {
    "strftime": "from time import strftime as held",
    "time": "from time import time as held",
    "localtime": "from time import localtime as held",
    "time_ns": "from time import time_ns as held",
    "datetime": "from datetime import datetime as held",
    "a_datetime": "from datetime import datetime\nheld = datetime(2026, 1, 1)",
    "a_date": "from datetime import datetime\nheld = datetime(2026, 1, 1).date()",
    "date_module": "import datetime as held",
    "uuid4": "from uuid import uuid4 as held",
    "listdir": "from os import listdir as held",
    "scandir": "from os import scandir as held",
    "stat": "from os import stat as held",
    "readlink": "from os import readlink as held",
    "connect": "from sqlite3 import connect as held",
    "connect_of_dbapi2": "from sqlite3.dbapi2 import connect as held",
}
_STEP = """
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline as SdkPipeline

def work():
    return held

def build(context):
    settings = {"image_uri": "image", "instance_type": "ml.m5.large", "role": context.role}
    steps = [step(work, name="Work", **settings)()]
    return SdkPipeline(context.pipeline_name, steps=steps, sagemaker_session=context.session)
"""
# Two that depend on one another, whichever is compiled first.
LEFT_BEHIND = {
    "leaves": "def text(context):\n    (HERE / 'left.txt').write_text('left')\n    return 'a'",
    "finds": "def text(context): return (HERE / 'left.txt').exists()",
}


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with some files, in a memory disk if there is one."""
    disk = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=disk if disk.is_dir() else tmp_path_factory.mktemp("m")) as folder:
        for name in ("a", "b", "c"):
            Path(folder, name).touch()
        yield Path(folder)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, memory: Path) -> Any:
    """What the command says of all of these, and of one that fails."""
    folder = tmp_path_factory.mktemp("project")
    lab = Lab(folder, CompiledCache(folder / "cache"))
    failing = {"fails": "def text(context): raise KeyError('x')"}
    for name, code in {**DIFFERING, **SAME, **LEFT_BEHIND, **failing}.items():
        lab.define(f"{name}.py", code)
    for name, code in HELD.items():
        lab.write(f"held_{name}.py", f"{code}\n{_STEP}")
    with pytest.MonkeyPatch.context() as patch:
        lab.enter(patch)
        functions = [f"{name}:build" for name in ("fails", *DIFFERING, *SAME, *LEFT_BEHIND)]
        functions += [f"held_{name}:build" for name in HELD]
        values = ["--value", "A=1", "--value", "B=text", "--value", "C=x=y", "--value", f"MEMORY={memory}"]
        return CliRunner().invoke(app, ["verify", *functions, *values])


@pytest.mark.parametrize("name", DIFFERING)
def test_a_definition_that_differs_is_named_with_the_path_and_both_values(results: Any, name: str) -> None:
    (line,) = [line for line in results.stdout.splitlines() if line.startswith(f"{name}:build\t")]
    _, path, first, second = line.split("\t")
    assert path == PLACE
    assert first != second
    assert f"Error: {name}:build: 1 values differ from compile to compile." in results.stderr


@pytest.mark.parametrize("name", SAME)
def test_a_definition_that_is_the_same_twice_is_not_reported(results: Any, name: str) -> None:
    assert f"{name}:build" not in results.stdout
    assert f"{name}:build: the same in both." in results.stderr


@pytest.mark.parametrize("name", HELD)
def test_what_a_function_holds_of_python_is_the_same_twice(results: Any, name: str) -> None:
    assert f"held_{name}:build: the same in both." in results.stderr


def test_one_that_reads_what_another_has_left_behind_differs(results: Any) -> None:
    assert f"finds:build\t{PLACE}\t'True'\t'False'" in results.stdout
    assert "leaves:build: the same in both." in results.stderr


def test_what_keeps_the_compiles_from_the_network_is_said(results: Any) -> None:
    (line,) = [line for line in results.stderr.splitlines() if line.startswith("guard: ")]
    assert line.startswith((f"guard: {NAMESPACE}", f"guard: {FILTER}", "guard: audit hook only; no "))


def test_one_that_cannot_be_compiled_is_named_and_the_others_are_checked(results: Any) -> None:
    assert "Error: the build function fails:build raised" in results.stderr
    assert results.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build"], "definition must be 'module:function'"),
        (["defs:build", "--value", "A"], "--value must be NAME=VALUE, got 'A'"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["verify", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr


def test_the_pipelines_of_this_project_are_the_same_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[4])
    modules = ["pipeline_defs.abalone.pipeline:build", "pipeline_defs.daily_processing.pipeline:build"]
    done = CliRunner().invoke(app, ["verify", *modules])
    assert (done.stdout, done.exit_code) == ("", 0), done.stderr
