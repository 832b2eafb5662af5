"""What changes a definition is a miss, whatever it is; what does not is a hit, and starts no process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab

from scheduled_pipeline.definition.compiler import lanes as lanes_module
from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.model import DefinitionError

# Ends with the number of children, and with what was imported that takes long.
_COMPILE_AGAIN = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from pathlib import Path
from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
compiler = Compiler()
compiler.compile(
    PipelineDefinition.from_function(sys.argv[2] + ":build"),
    region="eu-west-1", partition="aws", pipeline_name="lab", values={},
    cache=CompiledCache(Path.cwd() / ".scheduled-pipeline"),
)
print(len(compiler._lanes), *{"botocore", "boto3", "sagemaker"} & sys.modules.keys())
"""


def _no_process(*arguments: Any) -> None:
    raise AssertionError("a child process was started")


def _own_name(request: pytest.FixtureRequest) -> str:
    return re.sub(r"\W+", "_", f"of_{request.node.name}")


class TestAHit:
    def test_is_what_has_not_changed_and_starts_no_process(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = lab.define("unchanged.py", "def text(context): return 'a'")
        first = lab.compile(module)
        monkeypatch.setattr(lanes_module, "Child", _no_process)
        again = Compiler()
        second = Lab(lab.folder, lab.cache, again).compile(module)
        again.close()
        assert second == first

    def test_has_the_findings_of_the_validation(self, lab: Lab) -> None:
        module = lab.define("wrong.py", "def text(context): return {'Get': 'Parameters.Nope'}")
        assert [finding.id for finding in lab.compile(module).findings or ()] == ["unknown-parameter"]
        second = lab.compile(module)
        assert lab.is_hit(module)
        assert [finding.id for finding in second.findings or ()] == ["unknown-parameter"]

    def test_reads_neither_the_sdk_nor_a_model_of_aws(self, lab: Lab) -> None:
        module = lab.define("light.py", "def text(context): return 'a'")
        lab.compile(module)
        done = subprocess.run(
            [sys.executable, "-c", _COMPILE_AGAIN, json.dumps(sys.path), module],
            cwd=lab.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == ["0"]

    def test_says_which_values_were_read(self, lab: Lab) -> None:
        module = lab.define("reads_a_value.py", "def text(context): return context.value('A')")
        for _ in range(2):
            assert lab.compile(module, values={"A": "x", "B": "y"}).values_read == {"A"}

    def test_is_found_in_another_checkout(
        self, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab.write("moved/data/a.txt", "1")
        module = lab.define(
            "moved/defs.py",
            "def text(context): return [p.read_text() for p in sorted((HERE / 'data').resolve().glob('*'))]",
        )
        lab.text(module)
        other = shutil.copytree(lab.folder, tmp_path / "other" / "place")
        copy = Lab(other, CompiledCache(other / ".scheduled-pipeline"), lab.compiler)
        copy.enter(monkeypatch)
        assert copy.is_hit(module)
        copy.write("moved/data/a.txt", "2")
        assert not copy.is_hit(module)

    def test_does_not_depend_on_the_time_of_a_change(self, lab: Lab) -> None:
        module = lab.define("touched.py", "def text(context): return (HERE / 'touched.txt').read_text()")
        data = lab.write("touched.txt", "1")
        assert lab.changes(module, lambda: os.utime(data, (1, 1))) == ("1", True, "1")

    def test_comes_back_with_the_branch(self, lab: Lab) -> None:
        module = lab.define("branch.py", "def text(context): return (HERE / 'branch.txt').read_text()")
        for text in ("main", "feature"):
            lab.write("branch.txt", text)
            assert lab.text(module) == text
        lab.write("branch.txt", "main")
        assert lab.is_hit(module)
        assert lab.text(module) == "main"


class TestAMiss:
    def test_is_an_edited_build_function(self, lab: Lab) -> None:
        module = lab.define("edited.py", "def text(context): return 1")
        edit = lambda: lab.define("edited.py", "def text(context): return 2")  # noqa: E731
        assert lab.changes(module, edit) == ("1", False, "2")

    def test_is_an_edited_helper_module(self, lab: Lab) -> None:
        lab.write("helpers/sizes.py", "SIZE = 1")
        module = lab.define("helped.py", "from helpers.sizes import SIZE\ndef text(context): return SIZE")
        assert lab.changes(module, lambda: lab.write("helpers/sizes.py", "SIZE = 2")) == ("1", False, "2")

    def test_is_a_helper_module_that_another_definition_imported_before(self, lab: Lab) -> None:
        lab.write("common.py", "SIZE = 1")
        code = "from common import SIZE\ndef text(context): return SIZE"
        lab.text(lab.define("first_user.py", code))
        module = lab.define("second_user.py", code)
        assert lab.changes(module, lambda: lab.write("common.py", "SIZE = 2")) == ("1", False, "2")

    def test_is_an_edit_of_the_same_length_in_the_same_second(self, lab: Lab) -> None:
        """Python would take the byte code of the first for that of the second."""
        helper = lab.write("quick.py", "SIZE = 1")
        module = lab.define("quickly.py", "from quick import SIZE\ndef text(context): return SIZE")
        before = helper.stat()

        def edit() -> None:
            lab.write("quick.py", "SIZE = 2")
            os.utime(helper, ns=(before.st_atime_ns, before.st_mtime_ns))

        assert lab.changes(module, edit) == ("1", False, "2")

    def test_is_an_edited_data_file(self, lab: Lab) -> None:
        lab.write("data.json", "[1]")
        module = lab.define("data_user.py", "def text(context): return (HERE / 'data.json').read_text()")
        assert lab.changes(module, lambda: lab.write("data.json", "[2]")) == ("[1]", False, "[2]")

    @pytest.mark.parametrize(
        "listing",
        [
            "HERE.joinpath('sql').glob('*.sql')",
            "HERE.rglob('sql/*.sql')",
            "map(Path, __import__('glob').glob(str(HERE / 'sql' / '*.sql')))",
            "map(Path, __import__('os').listdir(HERE / 'sql'))",
            "[Path(f) for _, _, fs in __import__('os').walk(HERE / 'sql') for f in fs]",
        ],
    )
    @pytest.mark.parametrize("change", ["added", "removed", "renamed"])
    def test_is_a_file_of_a_folder_that_is_listed(
        self, lab: Lab, listing: str, change: str, request: pytest.FixtureRequest
    ) -> None:
        name = _own_name(request)
        lab.write(f"{name}/sql/a.sql", "")
        lab.write(f"{name}/sql/b.sql", "")
        module = lab.define(f"{name}/defs.py", f"def text(context): return sorted(p.name for p in {listing})")
        folder = lab.folder / name / "sql"
        actions: dict[str, Callable[[], object]] = {
            "added": lambda: (folder / "c.sql").write_text(""),
            "removed": (folder / "b.sql").unlink,
            "renamed": lambda: (folder / "b.sql").rename(folder / "c.sql"),
        }
        before, hit, after = lab.changes(module, actions[change])
        assert (before, hit) == ("['a.sql', 'b.sql']", False)
        assert after != before

    @pytest.mark.parametrize(
        "question",
        [
            "p.exists()",
            "p.is_file()",
            "__import__('os').path.exists(p)",
            "__import__('os').path.isfile(str(p))",
        ],
    )
    @pytest.mark.parametrize("there", [True, False])
    def test_is_a_file_whose_existence_was_asked_for(
        self, lab: Lab, question: str, there: bool, request: pytest.FixtureRequest
    ) -> None:
        name = _own_name(request)
        module = lab.define(
            f"{name}/defs.py", f"def text(context):\n    p = HERE / 'override.txt'\n    return {question}"
        )
        override = lab.folder / name / "override.txt"
        if there:
            override.write_text("")
        change = override.unlink if there else override.touch
        assert lab.changes(module, change) == (str(there), False, str(not there))

    def test_is_a_module_that_takes_the_place_of_another(self, lab: Lab) -> None:
        lab.write("space/deep/answers.py", "SIZE = 1")
        module = lab.define(
            "shadowed.py", "from space.deep import answers\ndef text(context): return answers.SIZE"
        )
        package = lambda: lab.write("space/deep/answers/__init__.py", "SIZE = 2")  # noqa: E731
        assert lab.changes(module, package) == ("1", False, "2")

    def test_is_a_folder_that_becomes_a_package(self, lab: Lab) -> None:
        lab.write("plain/answers.py", "SIZE = 1")
        code = "from plain import answers\ndef text(context): return answers.SIZE"
        module = lab.define("packaged.py", code)
        package = lambda: lab.write("plain/__init__.py", "import plain.answers as a; a.SIZE = 2")  # noqa: E731
        assert lab.changes(module, package) == ("1", False, "2")

    @pytest.mark.parametrize("place", ["maybe_{0}.py", "parent_{0}/maybe.py"])
    def test_is_a_module_that_was_not_there(self, lab: Lab, place: str) -> None:
        number = len(place)
        path = place.format(number)
        lab.write(f"parent_{number}/other.py", "")
        name = path.removesuffix(".py").replace("/", ".")
        module = lab.define(
            f"optional_{number}.py",
            f"import parent_{number}.other\ntry:\n    from {name} import SIZE\n"
            "except ImportError:\n    SIZE = 1\ndef text(context): return SIZE",
        )
        assert lab.changes(module, lambda: lab.write(path, "SIZE = 2")) == ("1", False, "2")

    def test_is_a_module_of_the_project_with_the_name_of_an_installed_one(self, lab: Lab) -> None:
        module = lab.define("uses_yaml.py", "import yaml\ndef text(context): return hasattr(yaml, 'SIZE')")
        assert lab.changes(module, lambda: lab.write("yaml.py", "SIZE = 1"))[1] is False
        (lab.folder / "yaml.py").unlink()

    @pytest.mark.parametrize("made", ["yaml.py", "yaml/__init__.py"])
    def test_is_a_folder_of_data_that_becomes_a_package_with_an_installed_ones_name(
        self, lab: Lab, made: str
    ) -> None:
        lab.write("yaml/data.txt", "")
        module = lab.define(f"uses_yaml_{len(made)}.py", "import yaml\ndef text(context): return 1")
        assert lab.changes(module, lambda: lab.write(made, ""))[1] is False
        (lab.folder / made).unlink()

    @pytest.mark.parametrize(
        "looked_for",
        [
            "importlib.util.find_spec('{0}.maybe') is not None",
            "'maybe' in [m.name for m in pkgutil.iter_modules({0}.__path__)]",
            "imported('{0}.maybe') is not None",
        ],
    )
    def test_is_a_module_that_was_looked_for_and_not_there(
        self, lab: Lab, looked_for: str, request: pytest.FixtureRequest
    ) -> None:
        name = "plugins_" + _own_name(request)
        lab.write(f"{name}/other.py", "")
        module = lab.define(
            f"user_of_{name}.py",
            f"import importlib.util, pkgutil, {name}.other\ndef imported(name):\n    try:\n"
            "        return importlib.import_module(name)\n    except ImportError: return None\n"
            f"def text(context): return {looked_for.format(name)}",
        )
        assert lab.changes(module, lambda: lab.write(f"{name}/maybe.py", "")) == ("False", False, "True")

    @pytest.mark.parametrize("there", [True, False])
    def test_is_a_module_in_a_folder_that_the_module_put_into_the_path(self, lab: Lab, there: bool) -> None:
        name = f"over_{there}".lower()
        lab.write(f"{name}/other.txt", "")
        if there:
            lab.write(f"{name}_sizes.py", "SIZE = 1")
        module = lab.define(
            f"user_of_{name}.py",
            f"import sys\nsys.path.insert(0, str(HERE / '{name}'))\n"
            f"try:\n    from {name}_sizes import SIZE\nexcept ImportError:\n    SIZE = 1\n"
            "def text(context): return SIZE",
        )
        change = lambda: lab.write(f"{name}/{name}_sizes.py", "SIZE = 2")  # noqa: E731
        assert lab.changes(module, change) == ("1", False, "2")

    @pytest.mark.parametrize(
        "question", ["p.resolve().name", "p.readlink()", "__import__('os').path.realpath(p)[-2:]"]
    )
    def test_is_a_link_that_points_elsewhere(
        self, lab: Lab, question: str, request: pytest.FixtureRequest
    ) -> None:
        name = _own_name(request)
        lab.write(f"{name}/v1/model.txt", "")
        lab.write(f"{name}/v2/model.txt", "")
        link = lab.folder / name / "current"
        link.symlink_to("v1")
        module = lab.define(
            f"{name}/defs.py", f"def text(context):\n    p = HERE / 'current'\n    return {question}"
        )

        def change() -> None:
            link.unlink()
            link.symlink_to("v2")

        assert lab.changes(module, change) == ("v1", False, "v2")

    def test_is_a_script_that_may_be_executed_from_now_on(self, lab: Lab) -> None:
        """The archive of a ``source_dir`` keeps it."""
        script = lab.write("run.sh", "true")
        module = lab.define("runs.py", "def text(context): return (HERE / 'run.sh').stat().st_mode & 0o100")
        assert lab.changes(module, lambda: script.chmod(0o755)) == ("0", False, "64")

    def test_is_a_file_whose_access_was_asked_for(self, lab: Lab) -> None:
        module = lab.define(
            "accesses.py", "import os\ndef text(context): return os.access(HERE / 'acc.txt', os.R_OK)"
        )
        assert lab.changes(module, lambda: lab.write("acc.txt", "")) == ("False", False, "True")

    @pytest.mark.parametrize("place", ["'{0}.db'", "'file:{0}.db?mode=ro', uri=True"])
    def test_is_a_row_of_a_database(self, lab: Lab, place: str) -> None:
        name = f"rows_{len(place)}"

        def put(value: int) -> None:
            (lab.folder / f"{name}.db").unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(lab.folder / f"{name}.db")) as database:
                database.execute(f"create table t as select {value}")
                database.commit()

        put(1)
        module = lab.define(
            f"{name}.py",
            f"import sqlite3\ndef text(context):\n    d = sqlite3.connect({place.format(name)})\n"
            "    found = d.execute('select * from t').fetchone()[0]\n    d.close()\n    return found",
        )
        assert lab.changes(module, lambda: put(2)) == ("1", False, "2")

    @pytest.mark.parametrize(
        "change",
        [
            {"region": "us-west-2"},
            {"partition": "aws-cn"},
            {"pipeline_name": "other"},
            {"values": {"A": 1}},
            {"values": {"A": True}},
            {"values": {"A": "1.0"}},
        ],
    )
    def test_is_another_request(self, lab: Lab, change: dict[str, Any]) -> None:
        module = lab.define("asked.py", "def text(context): return 'a'")
        lab.compile(module, values={"A": 1.0})
        assert lab.is_hit(module, values={"A": 1.0})
        assert not lab.is_hit(module, **{"values": {"A": 1.0}, **change})


class TestNotInTheCache:
    def test_is_what_failed(self, lab: Lab) -> None:
        module = lab.define("fails.py", "def text(context): raise KeyError('x')")
        for _ in range(2):
            with pytest.raises(DefinitionError, match="KeyError: 'x'"):
                lab.compile(module)
        assert not lab.is_hit(module)

    def test_is_what_a_fork_read(self, lab: Lab) -> None:
        module = lab.define(
            "forks.py",
            "import os\ndef text(context):\n    if not (pid := os.fork()):\n        os._exit(0)\n"
            "    os.waitpid(pid, 0)\n    return 1",
        )
        assert lab.text(module) == "1"
        assert not lab.is_hit(module)

    def test_is_what_changed_while_it_was_read(self, lab: Lab) -> None:
        lab.write("count.txt", "1")
        module = lab.define(
            "counts.py",
            """
            def text(context):
                before = (HERE / "count.txt").read_text()
                (HERE / "count.txt").write_text(before + "1")
                return before
            """,
        )
        assert [lab.text(module) for _ in range(3)] == ["1", "11", "111"]
