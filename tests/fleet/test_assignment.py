"""Which stack a pipeline of a fleet is in."""

from __future__ import annotations

from collections import Counter

import pytest

from scheduled_pipeline.fleet.assignment import stack_id

NAMES = [f"pipeline-{number}" for number in range(1000)]


def test_a_name_is_always_in_the_same_stack() -> None:
    """Pinned: another answer would move every pipeline that is deployed."""
    assert [stack_id(name, 64) for name in ("orders", "returns", "forecast-eu")] == [
        "Stack18",
        "Stack47",
        "Stack39",
    ]


def test_a_thousand_names_are_spread_evenly() -> None:
    loads = Counter(stack_id(name, 64) for name in NAMES)
    assert len(loads) == 64
    assert max(loads.values()) <= 2 * len(NAMES) / 64


@pytest.mark.parametrize("stacks", [1, 2, 64])
def test_one_stack_more_takes_from_each_and_moves_nothing_between_the_others(stacks: int) -> None:
    moved = [name for name in NAMES if stack_id(name, stacks) != stack_id(name, stacks + 1)]
    assert {stack_id(name, stacks + 1) for name in moved} == {f"Stack{stacks:02d}"}
    assert len(moved) <= 2 * len(NAMES) / (stacks + 1)


def test_one_stack_takes_all() -> None:
    assert {stack_id(name, 1) for name in NAMES} == {"Stack00"}
