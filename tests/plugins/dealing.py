"""How pytest-xdist deals out the tests: what shares something expensive to one process, the longest first.

Each process has a local AWS of its own. Without ``-n`` nothing here does anything.
"""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = {
    "compiled definitions": (
        "tests/definition/permissions/test_permissions_reference.py",
        "tests/definition/sandbox/test_step_types.py",
        "tests/definition/validation/",
    ),
    "the app": ("tests/stacks/", "tests/cli/assembly/test_own_assembly.py"),
}
"""Files that share what a process makes once: compiled pipelines, and the synthesized app."""

LONGEST = (
    "tests/definition/sandbox/test_function_steps.py",
    "the app",
    "tests/lifecycle/",
    "tests/test_operations.py",
    "tests/test_readme.py",
    "compiled definitions",
    "tests/test_demo.py",
    "tests/definition/compiler/",
    "tests/cli/commands/account/",
    "tests/local_aws/",
    "tests/cli/commands/",
    "tests/fleet/",
    "tests/resources/",
)
"""By what they took, so that no process is left with a long one when the others have ended."""


def together(nodeid: str) -> str:
    """What a test is dealt out with: its file, or a name above."""
    file = nodeid.partition("::")[0]
    return next((name for name, places in TOGETHER.items() if file.startswith(places)), file)


def _rank(nodeid: str) -> int:
    group = together(nodeid)
    return next((rank for rank, start in enumerate(LONGEST) if group.startswith(start)), len(LONGEST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring what takes longest to the front; the order within a file stays."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out in the order of the items, where no other way was asked for."""
    from xdist.scheduler import LoadScopeScheduling

    class Dealing(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    if config.getvalue("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return Dealing(config, log)
