"""Placeholders have the shape of what they stand for and are found again."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from scheduled_pipeline.definition import placeholders

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def test_the_fixed_ones_have_the_shape_of_what_they_stand_for() -> None:
    assert re.fullmatch(r"\d{12}", placeholders.ACCOUNT)
    assert BUCKET_NAME.fullmatch(placeholders.ARTIFACT_BUCKET)
    assert BUCKET_NAME.fullmatch(placeholders.ASSET_BUCKET)
    assert re.fullmatch(r"arn:aws-cn:iam::\d{12}:role/[\w+=,.@-]{1,64}", placeholders.role("aws-cn"))


@given(st.text(min_size=1))
def test_a_value_can_stand_for_a_bucket(name: str) -> None:
    assert BUCKET_NAME.fullmatch(placeholders.value(name))


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_values_have_different_placeholders(one: str, other: str) -> None:
    assert (placeholders.value(one) == placeholders.value(other)) == (one == other)


def test_the_longest_is_replaced_first() -> None:
    role = placeholders.role("aws")
    bindings = {placeholders.ACCOUNT: "<account>", role: "<role>"}
    assert placeholders.substitute(f"{role} {placeholders.ACCOUNT}", bindings) == "<role> <account>"


def test_text_without_placeholders_is_left_alone() -> None:
    assert placeholders.substitute("text", {placeholders.ACCOUNT: "x"}) == "text"
    assert placeholders.substitute("text", {}) == "text"
