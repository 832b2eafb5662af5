"""The tests that start nothing: no Node, no server, no child process. ``--fast`` runs them alone.

While one of them runs, in any run, what starts a process or listens at a port is refused. With ``--fast``
it is refused from the beginning, so that their modules cannot import the CDK either.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

FAST = ("tests/cli/", "tests/definition/", "tests/fleet/test_assignment.py", "tests/trigger/")
"""Where the fast tests are, but for those that are marked ``process`` or take a fixture of ``STARTING``."""

SLOW = ("tests/definition/compiler/", "tests/definition/test_findings.py")
"""Where there are none; a module that imports the CDK has to be here."""

STARTING = frozenset(
    {"at_terminal", "compiler", "local_aws", "new_stack", "own_assembly", "patient_aws", "run_command"}
)
"""The fixtures that start something, or run on what another test has started."""

_ROOT = Path(__file__).resolve().parents[2]
_STARTS = frozenset({"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
_really_listen = socket.socket.listen
_running: list[str] = []
"""What must not start anything now."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--fast", action="store_true", help="run the tests that start no process")


def pytest_configure(config: pytest.Config) -> None:
    """Watch what is started from now on."""
    config.addinivalue_line("markers", "process: starts a process, in a file of fast tests")
    sys.addaudithook(_refuse)
    socket.socket.listen = _listen  # type: ignore[method-assign, assignment]
    if config.getoption("--fast"):
        _running.append("--fast")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what holds no fast test."""
    if not config.getoption("--fast"):
        return None
    path = collection_path.relative_to(_ROOT).as_posix()
    if collection_path.is_dir():
        path += "/"
        there = any(place.startswith(path) for place in FAST)
    else:
        there = False
    return None if there or (path.startswith(FAST) and not path.startswith(SLOW)) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other tests of those modules."""
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=[item for item in items if not is_fast(item)])
        items[:] = [item for item in items if is_fast(item)]


def is_fast(item: pytest.Item) -> bool:
    """Whether a test must not start anything."""
    starting = STARTING.intersection(getattr(item, "fixturenames", ()))
    there = item.nodeid.startswith(FAST) and not item.nodeid.startswith(SLOW)
    return there and not starting and item.get_closest_marker("process") is None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Refuse what a fast test starts."""
    if not is_fast(item):
        return (yield)
    _running.append(item.nodeid)
    try:
        return (yield)
    finally:
        _running.pop()


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    # In another thread it is what an earlier test has begun.
    if _running and event in _STARTS and threading.current_thread() is threading.main_thread():
        _fail(f"{event} {arguments[:2]}")


def _listen(self: socket.socket, *arguments: int) -> None:
    if _running:
        _fail("a server")
    _really_listen(self, *arguments)


def _fail(what: str) -> None:
    pytest.fail(
        f"{_running[-1]} is fast but starts {what}: mark it with @pytest.mark.process, or see {__name__}"
    )
