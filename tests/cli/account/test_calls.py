import threading
from collections.abc import Iterator
from typing import Any

import pytest

from scheduled_pipeline.cli.account.calls import listed, side_by_side


class Pages:
    """An operation with pages of two."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        start = int(arguments.get("NextToken", "0"))
        following = {"NextToken": str(start + 2)} if start + 2 < self.number else {}
        return {"Items": list(range(self.number))[start : start + 2], **following}


def test_every_page_is_asked_for_with_the_same_arguments() -> None:
    pages = Pages(5)
    assert list(listed(pages, "Items", Group="g")) == [0, 1, 2, 3, 4]
    assert pages.calls == [{"Group": "g"}, {"Group": "g", "NextToken": "2"}, {"Group": "g", "NextToken": "4"}]


def test_a_page_is_asked_for_when_its_items_are() -> None:
    pages = Pages(1000)
    items = listed(pages, "Items")
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    assert len(pages.calls) == 2


def test_a_listing_may_be_empty() -> None:
    assert list(listed(dict, "Items")) == []


def test_an_empty_page_in_the_middle_ends_nothing() -> None:
    answers: Iterator[dict[str, Any]] = iter([{"Items": [], "NextToken": "1"}, {"Items": [1]}])
    assert list(listed(lambda **_: next(answers), "Items")) == [1]


def test_results_come_in_the_order_of_the_items() -> None:
    first_may_end = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert first_may_end.wait(10)
        if item == 3:
            first_may_end.set()
        return item * 10

    assert list(side_by_side(work, range(6))) == [0, 10, 20, 30, 40, 50]


def test_neither_all_items_nor_all_results_are_held() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = side_by_side(lambda item: item, items())
    assert [next(results) for _ in range(10)] == list(range(10))
    assert len(taken) < 50
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 50


def test_an_error_comes_when_its_turn_does() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    results = side_by_side(work, range(1000))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
