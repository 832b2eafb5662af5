import json
from typing import Any

import pytest

from scheduled_pipeline.cli.assembly.intrinsics import Scope, Text
from scheduled_pipeline.cli.drift.values import Difference, compare, document, moment, pruned, resolved

SCOPE = Scope(
    given={"Queue": Text(text="https://queue"), "AWS::Region": Text(text="us-east-1")},
    attributes={"Queue.Arn": Text(text="arn:queue")},
    exports={"Other:Role": Text(text="arn:role")},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::Sub": "${Queue.Arn}/${AWS::Region}/${Queue}"}, "arn:queue/us-east-1/https://queue"),
        ({"Fn::Join": ["", ["a:", {"Ref": "Queue"}]]}, "a:https://queue"),
        ({"Fn::ImportValue": "Other:Role"}, "arn:role"),
        ({"Fn::Select": [1, {"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]}, "queue"),
        ({"MaximumWindowInMinutes": "60", "Name": "60"}, {"MaximumWindowInMinutes": 60, "Name": "60"}),
        ({"A": {"Ref": "AWS::NoValue"}, "B": [{"Ref": "AWS::NoValue"}, 1]}, {"B": [1]}),
    ],
)
def test_the_functions_of_a_template_are_carried_out(value: Any, expected: Any) -> None:
    assert resolved(SCOPE, value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::GetAtt": ["Custom", "Key"]},
        {"Fn::ImportValue": "Other:Unknown"},
        {"Fn::Select": [7, {"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]},
        {"Fn::If": ["Wide", "a", "b"]},
        {"Ref": "Nothing"},
        "{{resolve:ssm:/my/key}}",
    ],
)
def test_what_only_the_deployment_knows_is_never_a_difference(value: Any) -> None:
    comparison = compare({"Target": {"Arn": resolved(SCOPE, value)}}, {"Target": {"Arn": "other"}})
    assert comparison.differences == ()
    (reason,) = comparison.not_compared
    assert reason.startswith("Target.Arn: ")
    assert reason.endswith(" is not known")


def test_within_a_document_only_the_value_that_is_not_known_is_not_compared() -> None:
    text = resolved(SCOPE, {"Fn::Join": ["", ['{"a": "', {"Ref": "Nothing"}, '", "b": 1, "c": "x"}']]})
    comparison = compare({"Input": document(text)}, {"Input": document('{"c": "x", "b": 2, "a": "z"}')})
    assert comparison.differences == (Difference(field="Input.b", template="1", account="2"),)
    assert comparison.not_compared == ("Input.a: <Nothing> is not known",)


def test_the_placeholders_of_the_scheduler_are_values() -> None:
    text = resolved(
        SCOPE, {"Fn::Join": ["", ['{"a": "<aws.scheduler.scheduled-time>", "b": "', {"Ref": "X"}, '"}']]}
    )
    comparison = compare(document(text), {"a": "today", "b": "z"})
    assert [one.field for one in comparison.differences] == ["a"]


def test_things_with_names_are_compared_by_them() -> None:
    first = [{"Name": "Date", "Value": "1"}, {"Name": "Mode", "Value": "a"}]
    second = [{"Name": "Mode", "Value": "b"}, {"Name": "Date", "Value": "1"}, {"Name": "More", "Value": "c"}]
    assert compare({"Parameters": first}, {"Parameters": second}).differences == (
        Difference(field="Parameters[Mode].Value", template="a", account="b"),
        Difference(field="Parameters[More]", template=None, account=json.dumps(second[2])),
    )


def test_things_without_names_are_compared_in_their_order() -> None:
    assert compare([1, 2], [1, 3, 4]).differences == (
        Difference(field="[1]", template="2", account="3"),
        Difference(field="[2]", template=None, account="4"),
    )


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, "1"), ("", None), ({}, [])])
def test_values_of_different_types_differ(one: Any, other: Any) -> None:
    assert len(compare({"a": one}, {"a": other}).differences) == 1


def test_moments_are_compared_in_utc() -> None:
    assert moment("2027-01-04T09:00:00+09:00") == moment("2027-01-04T00:00:00Z") == "2027-01-04T00:00:00Z"
    assert moment("soon") == "soon"


def test_what_is_empty_counts_as_absent() -> None:
    assert pruned({"a": "", "b": {"c": []}, "d": 0, "e": [{"f": None}]}) == {"d": 0, "e": [{}]}
