from typing import Any

import pytest

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import AwsError
from scheduled_pipeline.cli.assembly.intrinsics import Text
from scheduled_pipeline.cli.drift.finding import Finding, Result
from scheduled_pipeline.cli.drift.kind import Declared, Kind
from scheduled_pipeline.cli.drift.put_back import put_back
from scheduled_pipeline.cli.drift.search import finding

AWS = Aws(session=None)


class Shelf(Kind):
    """An account of things with one property each, some of which are odd."""

    name = "thing"
    template_type = "Test::Thing"

    def __init__(self, **things: Any) -> None:
        self.things = things

    def read(self, aws: Aws, declared: Declared) -> Any:
        return self.things.get(declared.name)

    def template_form(self, declared: Declared) -> Any:
        return dict(declared.properties)

    def account_form(self, answer: Any) -> Any:
        return {"Value": answer}

    def put_back(self, aws: Aws, declared: Declared, answer: Any) -> None:
        if declared.name == "refused":
            raise AwsError("No.")
        if declared.name != "stubborn":
            self.things[declared.name] = declared.properties["Value"]


def changed(shelf: Shelf, name: str, value: object = "new") -> Finding:
    declared = Declared(
        kind=shelf, stack="Stack", region="us-east-1", logical_id=name, name=name, properties={"Value": value}
    )
    return finding(declared, Result.CHANGED, declared=declared)


@pytest.mark.parametrize(
    ("name", "value", "result", "error"),
    [
        ("willing", "new", Result.REVERTED, None),
        ("stubborn", "new", Result.FAILED, "it still differs: Value"),
        ("refused", "new", Result.FAILED, "No."),
        ("gone", "new", Result.FAILED, "it is gone"),
        ("willing", Text(text="<Key.Arn>", known=False), Result.FAILED, "<Key.Arn> is not known"),
    ],
)
def test_each_ends_in_its_own_way(name: str, value: object, result: Result, error: str | None) -> None:
    shelf = Shelf(willing="old", stubborn="old", refused="old")
    (ended,) = put_back(AWS, [changed(shelf, name, value)])
    assert (ended.result, ended.error) == (result, error)
    assert ended.drifted == (result is not Result.REVERTED)


def test_only_what_was_changed_is_put_back() -> None:
    shelf = Shelf(a="old")
    stray = Finding(stack="Stack", region="us-east-1", kind="schedule", name="a", result=Result.STRAY)
    assert put_back(AWS, [stray]) == [stray]
    assert shelf.things == {"a": "old"}


def test_an_interrupt_leaves_the_rest_as_it_is() -> None:
    names = [f"t{number}" for number in range(100)]
    shelf = Shelf(**dict.fromkeys(names, "old"))

    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    ended = put_back(AWS, [changed(shelf, name) for name in names], interrupt)
    results = {finding.name: finding.result for finding in ended}
    assert set(results.values()) == {Result.REVERTED, Result.UNTRIED}
    assert {name for name in names if shelf.things[name] == "new"} == {
        name for name, result in results.items() if result is Result.REVERTED
    }
