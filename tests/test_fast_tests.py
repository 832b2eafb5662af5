"""The fast tests are collected without Node, and what one of them starts is refused."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import fast_tests
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """This test is fast too."""
    monkeypatch.setattr(fast_tests, "_running", ["this test"])


def _listen() -> None:
    with socket.socket() as server:
        server.listen()


def test_they_are_collected_without_a_process() -> None:
    """What a module starts while it is imported is an error."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--fast", "--collect-only", "--quiet", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "tests/trigger/test_event.py::" in done.stdout
    assert "tests/cli/commands/account/test_orphans.py::" not in done.stdout  # a server may be there already
    assert "tests/construct/" not in done.stdout


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("start", [lambda: subprocess.run(["true"], check=True), _listen])
def test_what_starts_something_is_named(start: Any) -> None:
    with pytest.raises(pytest.fail.Exception, match="this test is fast but starts"):
        start()


@pytest.mark.parametrize("place", [*fast_tests.FAST, *fast_tests.SLOW])
def test_every_place_is_there(place: str) -> None:
    assert (ROOT / place).exists()
