"""The local AWS is two programs: the server with MiniStack, and what talks to it from a test or the demo."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "local_aws"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FOLDER.rglob("*.py")
}
EMULATOR = "local_aws.emulator"
START = "local_aws.__main__"
# The demo belongs to this repository, and shows its app.
DEMO = {
    "local_aws.demo": {"rich"},
    "local_aws.demo_app": {"aws_cdk", "pipeline_defs", "scheduled_pipeline", "stacks"},
}


def test_the_client_needs_boto3_and_the_standard_library_alone() -> None:
    allowed = {"boto3", "botocore", "local_aws", *sys.stdlib_module_names}
    foreign = {
        module: needed
        for module in MODULES
        if not _is_emulator(module)
        and (needed := {name.split(".")[0] for name in _imports(module)} - allowed - DEMO.get(module, set()))
    }
    assert foreign == {}


def test_the_client_does_not_import_the_emulator() -> None:
    assert [
        f"{module} imports {name}"
        for module in MODULES
        if not _is_emulator(module) and module != START
        for name in _imports(module)
        if _is_emulator(name)
    ] == []


def test_of_the_client_the_emulator_knows_the_protocol_alone() -> None:
    assert [
        f"{module} imports {name}"
        for module in MODULES
        if _is_emulator(module)
        for name in _imports(module)
        if name.startswith("local_aws") and not _is_emulator(name) and name != "local_aws.protocol"
    ] == []


def test_no_import_leads_back() -> None:
    left = {module: _imports(module) & MODULES.keys() for module in MODULES}
    while free := {module for module, names in left.items() if not names & left.keys()}:
        left = {module: names for module, names in left.items() if module not in free}
    assert left == {}


def test_only_its_own_environment_has_the_emulator() -> None:
    locks = ROOT.glob("requirements*.txt")
    assert [lock.name for lock in locks if "\nministack==" in lock.read_text(encoding="utf-8")] == [
        "requirements-local-aws.txt"
    ]


def _is_emulator(module: str) -> bool:
    return module == EMULATOR or module.startswith(EMULATOR + ".")


def _imports(module: str) -> set[str]:
    """What a module imports, by full name: of ``from local_aws import server``, both."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (inside & MODULES.keys()) | {node.module}
    return names
