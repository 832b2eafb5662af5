from typing import Any

import pytest

from scheduled_pipeline.cli.assembly.intrinsics import Scope, Text

SCOPE = Scope(
    given={"AWS::Region": Text(text="eu-west-1")},
    parameters={
        "Hour": {"Type": "Number", "Default": 3},
        "Secret": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/the/key"},
        "Bare": {"Type": "String"},
    },
    resources={
        "Training": {"Type": "AWS::SageMaker::Pipeline", "Properties": {"PipelineName": "training"}},
        "Unnamed": {"Type": "AWS::SageMaker::Pipeline", "Properties": {}},
    },
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (15, "15"),
        (True, "true"),
        (["a", "b"], "a,b"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Training"}, "training"),
        ({"Ref": "Hour"}, "3"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-eu-west-1"),
        ({"Fn::Sub": "${AWS::Region}/${!literal}/x"}, "eu-west-1/${literal}/x"),
        ({"Fn::Sub": ["cron(0 ${H} * * ? *)", {"H": {"Ref": "Hour"}}]}, "cron(0 3 * * ? *)"),
    ],
)
def test_what_the_template_itself_tells_is_known(value: object, text: str) -> None:
    assert str(SCOPE.text(value)) == text
    assert SCOPE.text(value).known


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Ref": "AWS::AccountId"}, "<AWS::AccountId>"),
        ({"Ref": "Unnamed"}, "<Unnamed>"),
        ({"Ref": "Bare"}, "<Bare>"),
        ({"Ref": "Secret"}, "<Secret>"),
        ({"Ref": ["odd"]}, "<['odd']>"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "<Role.Arn>"),
        ({"Fn::GetAtt": "Role.Arn"}, "<Role.Arn>"),
        ({"Fn::ImportValue": "Other:Name"}, "<ImportValue Other:Name>"),
        ({"Fn::Sub": "a-${Role.Arn}"}, "a-<Role.Arn>"),
        ({"Fn::If": ["IsProd", "ENABLED", "DISABLED"]}, "<ENABLED or DISABLED>"),
        ({"Fn::If": ["IsProd"]}, "<If IsProd>"),
        ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Cron"]}, "<FindInMap Map,eu-west-1,Cron>"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Bare"}]]}, "a-<Bare>"),
        ({"Fn::Join": ["-", {"Ref": "Bare"}]}, "<Join -,<Bare>>"),
        ({"Fn::Sub": 5}, "<Sub 5>"),
    ],
)
def test_what_only_the_deployment_knows_is_readable(value: object, text: str) -> None:
    assert str(SCOPE.text(value)) == text
    assert not SCOPE.text(value).known


def test_the_default_of_a_parameter_is_taken_and_said() -> None:
    text = SCOPE.text({"Fn::Join": ["", ["cron(0 ", {"Ref": "Hour"}, " * * ? *)"]]})
    assert text == Text(text="cron(0 3 * * ? *)", known=True, assumed=("Hour",))


def test_an_object_that_is_no_function_is_shown_as_json() -> None:
    assert str(SCOPE.text({"a": 1, "b": 2})) == '{"a": 1, "b": 2}'


@pytest.mark.parametrize("properties", [{}, {"Name": None}, {"Name": {"Ref": "AWS::NoValue"}}])
def test_a_property_that_is_left_out_is_nothing(properties: dict[str, Any]) -> None:
    assert SCOPE.property(properties, "Name") is None
