"""A definition that names a folder of this machine is refused, wherever in a text it does."""

from __future__ import annotations

import pytest

from scheduled_pipeline.definition.sandbox.completion import _names

FOLDER = "/w/proj"


@pytest.mark.parametrize(
    "text",
    [
        *("/w/proj", "/w/proj/x", "/w/proj\\x", "'/w/proj'", "/w/proj:/x", "cd /w/proj\n", "cd /w/proj\tx"),
        *("/w/proj2:/w/proj/x", "--dirs=/w/proj,/x", "cd /w/proj;ls", "$(cat /w/proj)", "/w/proj=x"),
        *("-I/w/proj", "file:///w/proj?x", "it is in /w/proj.", "/w/proj... and", "[/w/proj]", "/w/proj&&ls"),
    ],
)
def test_a_folder_or_what_is_below_it_is_named(text: str) -> None:
    assert _names(text, FOLDER)


@pytest.mark.parametrize(
    "text", ["", "/w/proj2", "/w/proj_x", "/w/proj-x", "/w/proj.py", "/w/projé", "/w/proj@2", "/W/proj", "/w"]
)
def test_another_folder_is_not(text: str) -> None:
    assert not _names(text, FOLDER)


def test_a_folder_right_below_the_root_may_be_a_containers() -> None:
    assert not _names("/code/x", "/code")
