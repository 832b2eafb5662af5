"""Many calls of an API: the pages of a listing, and calls side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

CALLS_AT_ONCE = 8
"""How many calls are under way at once."""

_AHEAD = 4 * CALLS_AT_ONCE
"""How many items are taken before their results are asked for; bounds what is held in memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def listed(operation: Callable[..., Any], member: str, **arguments: Any) -> Iterator[Any]:
    """The items of a listing, page by page.

    Args:
        operation: a method of a boto3 client that takes and returns ``NextToken``.
        member: the member of its answer that has the items.
        arguments: of the call.
    """
    token: dict[str, str] = {}
    while True:
        page = operation(**arguments, **token)
        yield from page.get(member, ())
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The result of the function for each item, in the order of the items.

    Items are taken as results are: neither all of the items nor all of the results are held.

    Raises:
        Exception: what the function raises for an item, when its turn comes.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="aws")
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
