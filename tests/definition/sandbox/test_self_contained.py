"""The sandbox needs nothing of what the app needs, so that it can run under another Python."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scheduled_pipeline.definition import sandbox
from scheduled_pipeline.definition.compiler import child_process
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox.protocol import Answer, Compiled, Surroundings

FOLDER = Path(sandbox.__path__[0])
PACKAGE = FOLDER.parents[1]
SAMPLES = Path(__file__).resolve().parents[2] / "sample_defs"
OWN = "scheduled_pipeline.definition.sandbox"
NAMED = set(re.findall(r"^- ``(.+)``$", str(sandbox.__doc__), re.MULTILINE))
SDK = {"dateutil", "sagemaker", "boto3", "botocore", "cloudpickle"}
NOT_THERE = {"aws_cdk", "constructs", "jsii", "typer", "tzdata"}

# In front of what a child is started with. What is refused is also told, as an import may be tried in vain.
HOOK = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        own = name == "{OWN}" or name.startswith("{OWN}.") or "{OWN}".startswith(name + ".")
        if top in {NOT_THERE!r} or (top == "scheduled_pipeline" and not own and name not in {NAMED!r}):
            print("REFUSED", name, file=sys.stderr)
            raise ImportError(f"{{name}} must not be imported in the sandbox")
sys.meta_path.insert(0, Refuse())
"""

BUILD = """
from scheduled_pipeline import PipelineContext
import function_pipelines, sample_pipelines

def script(context: PipelineContext):
    assert type(context) is PipelineContext
    return sample_pipelines.source_folder(context)

def step(context: PipelineContext):
    return function_pipelines.chain(context)
"""


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if _source(inside).exists() else node.module


def _source(module: str) -> Path:
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")


def _foreign(paths: list[Path]) -> set[str]:
    found = {name for path in paths for name in _imports(path)}
    return {name for name in found if name.partition(".")[0] not in {*sys.stdlib_module_names, *SDK}}


def test_it_imports_the_standard_library_the_sdk_itself_and_the_modules_that_its_docstring_names() -> None:
    foreign = _foreign(list(FOLDER.rglob("*.py")))
    assert {name for name in foreign if not name.startswith(f"{OWN}.")} | NAMED == NAMED
    needed = foreign | _foreign([_source(name) for name in NAMED])
    assert needed >= NAMED, "a module is named that nothing needs"


def test_the_named_modules_import_the_standard_library_and_each_other() -> None:
    assert _foreign([_source(name) for name in NAMED]) <= NAMED
    # In a function they may, which is called in the child alone.
    trees = [ast.parse(_source(name).read_text(encoding="utf-8")).body for name in NAMED]
    at_once = [node for body in trees for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in at_once if re.search(rf"\b({'|'.join(SDK)})\b", ast.unparse(node))]


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python in which nothing is installed but the SDK and what that needs."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for needed in _closure("sagemaker", {}).values():
        for file in needed.files or ():
            top = file.parts[0]
            target = packages / top
            if top not in {"..", "__pycache__"} and not top.endswith(".pth") and not target.exists():
                target.symlink_to(Path(str(needed.locate_file(top))))
    return folder / "bin" / "python"


def _closure(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    try:
        found[name] = distribution(name)
    except PackageNotFoundError:
        return found  # of another platform
    for text in found[name].requires or ():
        requirement = Requirement(text)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in found:
            _closure(requirement.name, found)
    return found


def _path_of(python: Path) -> list[str]:
    done = subprocess.run(
        [str(python), "-I", "-c", "import sys; print(*sys.path, sep='\\n')"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def _ask(folder: Path, root: Path, functions: list[str]) -> tuple[list[Answer | None], str]:
    child = child_process.Child(root, "eu-west-1", Project.of(str(folder), sys.path), Surroundings())
    try:
        answers = [
            child.ask(
                CompileRequest(
                    function=FunctionReference("bare", function),
                    region="eu-west-1",
                    partition="aws",
                    pipeline_name="bare",
                ),
                300,
                threading.Event(),
            )
            for function in functions
        ]
        return answers, child.output()
    finally:
        child.end()


@pytest.mark.process
def test_a_definition_compiles_to_the_same_where_nothing_but_the_sdk_is_installed(
    bare_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "bare.py").write_text(BUILD, encoding="utf-8")
    ours = [str(project), str(SAMPLES), str(PACKAGE.parent)]
    functions = ["script", "step"]
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*ours, *sys.path])
    expected, _ = _ask(project, tmp_path / "usual", functions)
    monkeypatch.setattr(sys, "executable", str(bare_python))
    monkeypatch.setattr(sys, "path", [*_path_of(bare_python), *ours])
    monkeypatch.setattr(child_process, "_BOOT", HOOK + child_process._BOOT)
    answers, output = _ask(project, tmp_path / "bare", functions)
    assert all(isinstance(answer, Compiled) for answer in answers), answers
    assert "REFUSED" not in output
    pipelines = [
        [answer.pipeline for answer in both if isinstance(answer, Compiled)] for both in (answers, expected)
    ]
    assert pipelines[0] == pipelines[1]
