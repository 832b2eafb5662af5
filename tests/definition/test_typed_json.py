"""JSON becomes the dataclass that it was written from, or a sentence says what does not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduled_pipeline.definition.typed_json import ShapeError, read_as


@dataclass(frozen=True)
class Part:
    name: str
    size: float = 1.5


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    pair: tuple[str, int]
    lists: list[list[str]]
    values: Mapping[str, str | int | float | bool]
    part: Part | None
    flag: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


GIVEN: dict[str, Any] = {
    "parts": [{"name": "a", "size": 2}],
    "pair": ["b", 3],
    "lists": [["c"], []],
    "values": {"d": 1, "e": "f", "g": True, "h": 0.5},
    "part": None,
}


def test_fields_that_have_a_default_may_be_left_out() -> None:
    found = read_as(Whole, GIVEN, "it")
    assert found == Whole((Part("a", 2),), ("b", 3), [["c"], []], GIVEN["values"], None)
    assert read_as(Whole, {**GIVEN, "part": {"name": "x"}}, "it").part == Part("x", 1.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": None}, "it.parts must be a list, got None"),
        ({"parts": [{"size": 1}]}, "it.parts[0] has no 'name'"),
        ({"parts": [{"name": "a", "colour": 1}]}, "it.parts[0] has 'colour', which is not known"),
        ({"parts": [{"name": 5}]}, "it.parts[0].name must be a string, got 5"),
        ({"pair": ["b"]}, "it.pair must have 2 entries, has 1"),
        ({"pair": ["b", True]}, "it.pair[1] must be a whole number, got True"),
        ({"lists": [["c"], "d"]}, "it.lists[1] must be a list, got 'd'"),
        ({"values": []}, "it.values must be an object, got []"),
        (
            {"values": {"d": None}},
            "it.values.d must be a string or a whole number or a number or true or false, got None",
        ),
        ({"part": {"name": None}}, "it.part.name must be a string, got None"),
        ({"part": 5}, "it.part must be an object, got 5"),
        ({"flag": 1}, "it.flag must be true or false, got 1"),
    ],
)
def test_what_does_not_fit_is_one_sentence(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        read_as(Whole, {**GIVEN, **change}, "it")


VALUES = st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers() | st.booleans())


@given(
    st.builds(
        Whole,
        parts=st.lists(st.builds(Part, st.text(), st.floats(allow_nan=False, allow_infinity=False))).map(
            tuple
        ),
        pair=st.tuples(st.text(), st.integers()),
        lists=st.lists(st.lists(st.text())),
        values=VALUES,
        part=st.none() | st.builds(Part, st.text()),
        flag=st.booleans(),
        extra=VALUES,
    )
)
def test_what_was_written_is_read_again(whole: Whole) -> None:
    assert read_as(Whole, json.loads(json.dumps(asdict(whole))), "it") == whole
