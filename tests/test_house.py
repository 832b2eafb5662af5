"""The order of the house: which part may import which, and what must not be where."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "constructs" / "scheduled_pipeline"


def test_the_folder_constructs_is_not_a_package() -> None:
    """With an `__init__.py` it would hide the `constructs` package that the CDK is built on."""
    assert not list((ROOT / "constructs").glob("*.py"))


def test_the_constructs_package_of_the_cdk_is_found() -> None:
    done = _python("import constructs; print(constructs.Construct.__module__)")
    assert done.stdout.strip() == "constructs"


def test_no_folder_of_tests_is_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_there_are_no_tests_among_the_constructs() -> None:
    assert not [path for pattern in ("test_*.py", "conftest.py") for path in PACKAGE.rglob(pattern)]


def test_importing_the_package_loads_neither_sdk_nor_boto_nor_cdk() -> None:
    code = "import sys, scheduled_pipeline; "
    done = _python(code + "print([m for m in ('sagemaker', 'boto3', 'aws_cdk') if m in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_importing_the_construct_loads_neither_sdk_nor_boto() -> None:
    code = "from scheduled_pipeline import ScheduledPipeline; import sys; "
    done = _python(code + "print([m for m in ('sagemaker', 'boto3', 'botocore') if m in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    done = _python("import scheduled_pipeline as s; print(all(getattr(s, n).__doc__ for n in s.__all__))")
    assert done.stdout.strip() == "True"


FLOORS = {
    "trigger": ("scheduled_pipeline.trigger", "tzdata"),
    "definition": ("scheduled_pipeline.definition", "sagemaker", "boto3", "botocore"),
}


@pytest.mark.parametrize("wing", FLOORS)
def test_a_pure_wing_imports_the_standard_library_and_what_is_named_here(wing: str) -> None:
    allowed = (*FLOORS[wing], "scheduled_pipeline.tokens", *sys.stdlib_module_names)
    foreign = {
        f"{path.name}: {name}"
        for path in (PACKAGE / wing).rglob("*.py")
        for name in _imports(path)
        if not any(name == prefix or name.startswith(prefix + ".") for prefix in allowed)
    }
    assert not foreign


def test_resources_do_not_know_the_construct() -> None:
    names = {name for path in (PACKAGE / "resources").rglob("*.py") for name in _imports(path)}
    assert "scheduled_pipeline.construct" not in names


def test_nothing_of_the_product_knows_the_local_aws_or_the_tests() -> None:
    product = [
        *PACKAGE.rglob("*.py"),
        *(ROOT / "stacks").rglob("*.py"),
        *(ROOT / "pipeline_defs").rglob("*.py"),
    ]
    assert not [
        path for path in product for name in _imports(path) if name.split(".")[0] in {"local_aws", "tests"}
    ]


def test_the_environment_is_read_in_few_places() -> None:
    """Synth may not depend on it; the child is told where programs are, the worker puts it back."""
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "os.environ" in path.read_text()
    }
    assert readers <= {"definition/compiler/child_process.py", "definition/sandbox/builder.py"}


@pytest.mark.parametrize("folder", ["constructs", "stacks", "pipeline_defs", "local_aws"])
def test_no_file_is_longer_than_400_lines(folder: str) -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")
    }
    assert {path.name: length for path, length in lengths.items() if length > 400} == {}


def test_app_py_has_25_lines_or_fewer() -> None:
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 25


def test_the_cdk_cli_is_pinned() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert package["devDependencies"] == {"aws-cdk": "2.1148.1"}


def test_requirements_are_pinned_and_end_with_the_project() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "-e ."
    assert all("==" in line for line in lines[1:-1])


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
