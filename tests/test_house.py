"""The order of the house: which part may import which, and what must not be where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from import_graph import Graph, circles, entries, folders, graph_of, imported_names

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "constructs" / "scheduled_pipeline"


def test_the_folder_constructs_is_not_a_package() -> None:
    """With an ``__init__.py`` it would hide the ``constructs`` package that the CDK is built on."""
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


# The files of `definition/` itself: values, which every wing below it may use.
VALUES = {
    *(
        "answers.py",
        "context.py",
        "differences.py",
        "document.py",
        "files.py",
        "findings.py",
        "installed.py",
        "model.py",
    ),
    "parsed.py",
    *("permission.py", "placeholders.py", "project.py", "resolve.py", "start_parameters.py", "typed_json.py"),
}
# What every part of the command may use.
TALK = {"errors.py", "printing.py", "terminal.py"}

# What each entry of a folder may import of its neighbours there, from the lowest floor up.
FLOORS: dict[str, dict[str, set[str]]] = {
    "": {
        "tokens.py": set(),
        "start_values.py": set(),
        "trigger": {"tokens.py", "start_values.py"},
        "definition": {"tokens.py", "start_values.py"},
        "resources": {"trigger", "definition", "tokens.py"},
        "arguments.py": {"resources", "trigger", "definition"},
        "token_values.py": {"resources", "definition"},
        "schedule_warnings.py": {"resources", "trigger"},
        "compilation.py": {"token_values.py", "resources", "definition"},
        "construct.py": {
            *("arguments.py", "compilation.py", "schedule_warnings.py", "token_values.py"),
            *("resources", "trigger", "definition"),
        },
        "fleet": {"arguments.py", "compilation.py", "construct.py", "resources", "trigger", "definition"},
        "cli": {"trigger", "definition"},
    },
    "definition": {
        **dict.fromkeys(VALUES, VALUES),
        "step_types": VALUES,
        "validation": {*VALUES, "step_types"},
        "permissions": {*VALUES, "step_types"},
        "sandbox": VALUES,
        "compiler": {*VALUES, "sandbox", "validation"},
    },
    "cli": {
        "errors.py": set(),
        "printing.py": {"errors.py"},
        "terminal.py": {"errors.py"},
        "account": TALK,
        "assembly": TALK,
        "adoption": {*TALK, "account"},
        "drift": {*TALK, "account", "assembly"},
        "options.py": {*TALK, "account", "assembly"},
        "commands": {*TALK, "options.py", "account", "assembly", "adoption", "drift"},
        "main.py": {*TALK, "commands"},
    },
}
# What a wing without the CDK may import beside itself and the standard library.
PURE = {"trigger": {"tzdata"}, "definition": {"sagemaker", "boto3", "botocore", "dateutil"}}
MOST_MODULES = 16


@pytest.fixture(scope="module")
def graph() -> Graph:
    """What the modules of the package import of each other."""
    return graph_of(PACKAGE, "scheduled_pipeline")


@pytest.mark.parametrize("folder", FLOORS)
def test_no_arrow_runs_up(graph: Graph, folder: str) -> None:
    floors = FLOORS[folder]
    forbidden = {
        f"{entry} imports {other}"
        for entry, others in entries(graph, folder).items()
        for other in others
        if other not in floors.get(entry, ())
    }
    assert forbidden == set()


@pytest.mark.parametrize("folder", FLOORS)
def test_every_entry_has_its_floor(graph: Graph, folder: str) -> None:
    """What is new has to say where it stands."""
    assert set(entries(graph, folder)) <= set(FLOORS[folder])


@pytest.mark.parametrize("tree", ["constructs/scheduled_pipeline", "stacks", "local_aws", "bench"])
def test_nothing_goes_in_circles(tree: str) -> None:
    """Neither modules nor, at any level, the files and folders of one folder."""
    found = graph_of(ROOT / tree, Path(tree).name)
    assert circles(found) == []
    assert {folder: circles(entries(found, folder)) for folder in folders(found)} == {
        folder: [] for folder in folders(found)
    }


def test_no_subcommand_imports_another(graph: Graph) -> None:
    commands = {name: imported for name, imported in graph.items() if name.startswith("cli/commands/")}
    assert {name: imported & commands.keys() for name, imported in commands.items()} == dict.fromkeys(
        commands, frozenset()
    )


@pytest.mark.parametrize("wing", PURE)
def test_a_pure_wing_imports_little_beside_itself(wing: str) -> None:
    allowed = {*PURE[wing], *sys.stdlib_module_names, "scheduled_pipeline"}
    foreign = {
        f"{path.name}: {name}"
        for path in (PACKAGE / wing).rglob("*.py")
        for name in imported_names(path)
        if name.split(".")[0] not in allowed
    }
    assert foreign == set()


def test_no_folder_has_more_modules_than_one_can_take_in(graph: Graph) -> None:
    counts = Counter(str(Path(name).parent) for name in graph if not name.endswith("__init__.py"))
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_nothing_of_the_product_knows_the_local_aws_or_the_tests() -> None:
    product = [
        *PACKAGE.rglob("*.py"),
        *(ROOT / "stacks").rglob("*.py"),
        *(ROOT / "pipeline_defs").rglob("*.py"),
    ]
    assert not [
        path
        for path in product
        for name in imported_names(path)
        if name.split(".")[0] in {"local_aws", "tests"}
    ]


def test_the_environment_is_read_in_few_places() -> None:
    """Synth may not depend on it: a child is told where programs are, and a fork where its home is.

    The settings of the SDK are where the build function says, which it does in the child's own environment.
    """
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "os.environ" in path.read_text()
    }
    assert readers <= {
        "definition/compiler/child_process.py",
        *("definition/sandbox/main.py", "definition/sandbox/sdk_patches.py"),
    }


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
