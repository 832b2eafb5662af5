import ast
import textwrap
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduled_pipeline.cli.adoption.python_source import (
    Call,
    Entry,
    Name,
    assignment,
    comment,
    names_used,
    string,
)

SCALARS = st.one_of(
    st.text(max_size=40), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=30), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.text())
def test_a_string_is_read_back_as_it_was(text: str) -> None:
    assert ast.literal_eval(string(text)) == text
    assert string(text).isprintable()


@given(VALUES)
def test_a_value_is_read_back_as_it_was(value: Any) -> None:
    names: dict[str, Any] = {}
    exec(assignment("made", [Entry("key", value)]), names)
    assert names["made"] == {"key": value}


@given(st.text())
def test_a_comment_is_nothing_but_comments(text: str) -> None:
    assert all(line.startswith("# ") and line.isprintable() for line in comment(text))


def test_a_long_comment_is_wrapped_at_its_indent() -> None:
    lines = comment("word " * 60, indent=1)
    assert len(lines) > 1
    assert max(len(line) for line in lines) <= 84


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2027, 1, 4, 9, 0), "datetime(2027, 1, 4, 9, 0)"),  # noqa: DTZ001
        (datetime(2027, 1, 4, 9, 0, 5, tzinfo=UTC), "datetime(2027, 1, 4, 9, 0, 5, tzinfo=UTC)"),
        (datetime(2027, 1, 4, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo")), "datetime(2027, 1, 4, 0, 0, tzinfo=UTC)"),
        (timedelta(days=2), "timedelta(days=2)"),
        (timedelta(minutes=90), "timedelta(minutes=90)"),
        (timedelta(seconds=61), "timedelta(seconds=61)"),
        ((5, "minutes"), '(5, "minutes")'),
        (Name("Class.NAME"), "Class.NAME"),
        (Call("Class.make", ["x"]), 'Class.make("x")'),
        ({"a": "b"}, '{"a": "b"}'),
        ([], "[]"),
    ],
)
def test_a_short_value_is_in_one_line(value: object, text: str) -> None:
    assert assignment("made", [Entry("key", value)]) == f'made = {{\n    "key": {text},\n}}'


def test_the_names_that_have_to_be_imported_are_found_at_any_depth() -> None:
    value = Call("A.make", [timedelta(1)], {"x": {"y": [Name("B.C"), datetime(2027, 1, 4, tzinfo=UTC)]}})
    assert names_used(value) == {"A", "B", "UTC", "datetime", "timedelta"}


def test_a_value_with_members_has_one_a_line() -> None:
    value = Call("Class.make", ["a"], {"b": {"c": ["d", "e"]}, "f": {"g": {}}, "h": ["i"], "j": []})
    assert assignment("made", [Entry("key", value, ["A comment."])]) == textwrap.dedent(
        """\
        made = {
            # A comment.
            "key": Class.make(
                "a",
                b={
                    "c": [
                        "d",
                        "e",
                    ],
                },
                f={
                    "g": {},
                },
                h=["i"],
                j=[],
            ),
        }"""
    )


@given(VALUES)
def test_a_line_has_one_member_and_no_space_at_its_end(value: Any) -> None:
    lines = assignment("made", [Entry("key", value)]).split("\n")
    assert all(line == line.rstrip() for line in lines)
    assert len(lines) == 2 + _lines(value)


def _lines(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 1
    members = list(value.values()) if isinstance(value, dict) else value
    if len(members) <= 1 and not any(isinstance(member, list | dict) for member in members):
        return 1
    return 2 + sum(_lines(member) for member in members)
