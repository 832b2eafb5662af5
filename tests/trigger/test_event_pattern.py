import json
import re
from typing import Any

import pytest

from scheduled_pipeline.trigger.event_pattern import check_path, event_pattern_copy, is_path

PATTERN: dict[str, Any] = {
    "source": ["aws.s3"],
    "detail": {
        "bucket": {"name": ["raw"]},
        "object": {"size": [{"numeric": [">", 0]}]},
        "gone": [{"exists": False}],
        "maybe": [{"exists": False}, "x"],
    },
}


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"]},
        {"account": ["111122223333"], "region": ["eu-west-1"], "resources": [{"suffix": "/x"}]},
        {"detail": {"a": [1, 2.5, True, "x"]}},
        {"detail": {"a": [{"prefix": "x"}], "b": [{"anything-but": ["x"]}], "c": [{"cidr": "10.0.0.0/24"}]}},
        {"detail": {"a": [{"equals-ignore-case": "x"}], "b": [{"wildcard": "a*b"}], "c": [{"exists": True}]}},
        {"$or": [{"source": ["a"]}, {"detail": {"x": ["y"]}}]},
        {"detail": {"$or": [{"a": [1]}, {"b": [2]}]}},
        {"replay-name": [{"exists": False}]},
        {"source": ("aws.s3",)},
        PATTERN,
    ],
)
def test_a_pattern_is_copied(pattern: dict[str, Any]) -> None:
    copy = event_pattern_copy(pattern)
    assert copy == json.loads(json.dumps(pattern)) or copy == {"source": ["aws.s3"]}
    assert copy is not pattern


def test_a_copy_shares_nothing_with_the_original() -> None:
    numeric = [">", 0]
    pattern = {"detail": {"size": [{"numeric": numeric}]}}
    copy = event_pattern_copy(pattern)
    numeric.append("<=")
    assert copy == {"detail": {"size": [{"numeric": [">", 0]}]}}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ({}, "pattern must not be empty"),
        ({"detail": {}}, "pattern['detail'] must not be empty: leave it out to match any value"),
        ({"detail": {"a": {}}}, "pattern['detail']['a'] must not be empty"),
        ({"source": []}, "pattern['source'] must have at least one entry, got an empty list"),
        ({"source": "aws.s3"}, "pattern['source'] must be a list of values, got 'aws.s3': write ['aws.s3']"),
        ({"detail": {"a": [None]}}, "pattern['detail']['a'][0] must not be None"),
        ({"detail_type": ["x"]}, "got 'detail_type': write detail-type"),
        ({"bucket": ["x"]}, "pattern must have fields of account detail detail-type"),
        ({"detail": {"a": [{"like": "x"}]}}, "must be one filter of anything-but cidr"),
        ({"detail": {"a": [{"prefix": "x", "suffix": "y"}]}}, "must be one filter of"),
        ({"$or": []}, "pattern['$or'] must have at least one entry"),
        ({"source": ["x" * 4096]}, "pattern must be at most 4096 characters, got 4112"),
    ],
)
def test_a_pattern_that_never_matches_is_refused(pattern: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        event_pattern_copy(pattern)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (["source"], "pattern must be a mapping"),
        ({"detail": {1: ["x"]}}, "pattern['detail'] field must be a string, got 1"),
        ({"source": {"aws.s3"}}, "pattern['source'] must be a list, got {'aws.s3'}"),
        ({"source": [b"x"]}, "pattern['source'][0] must be a string, a number or a boolean"),
        ({"$or": {"a": ["x"]}} | {"source": [object]}, "must be"),
        ({"$or": ["x"]}, "pattern['$or'][0] must be a pattern"),
    ],
)
def test_a_pattern_of_other_types_is_refused(pattern: Any, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        event_pattern_copy(pattern)


@pytest.mark.parametrize(
    "path",
    [
        "$",
        "$.id",
        "$.detail-type",
        "$.detail",
        "$.resources[0]",
        "$.resources[*]",
        "$.detail.bucket.name",
        "$.detail.bucket.other",  # the pattern does not say that it is absent
        "$.detail.object.key",
        "$.detail.object.size[0]",  # one of several sizes
        "$.detail.request-id",
        "$.detail.a_b[3].c",
        "$.detail.maybe",
    ],
)
def test_a_path_that_an_event_may_have_is_accepted(path: str) -> None:
    assert is_path(path)
    check_path("value", path, PATTERN)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$detail", "value must be a path of dots"),
        ("$.", "value must be a path of dots"),
        ("$..key", "value must be a path of dots"),
        ("$.detail.", "value must be a path of dots"),
        ("$.detail.a b", "value must be a path of dots"),
        ("$.detail['key']", "value must be a path of dots"),
        ("$.detail[?(@.a)]", "value must be a path of dots"),
        ("$.detail.é", "value must be a path of dots"),
        ("$.bucket.name", "value must begin with a field of an event"),
        ("$.source.name", "value is never in the event, got '$.source.name': source holds no fields"),
        (
            "$.resources.name",
            "value is never in the event, got '$.resources.name': resources holds no fields",
        ),
        (
            "$.detail.bucket.name.x",
            "the pattern says that detail.bucket.name is a value, so that it holds no x",
        ),
        ("$.detail.object.size[0].x", "the pattern says that detail.object.size is a value"),
        ("$.detail.gone", "the pattern says it is absent"),
        ("$.detail.gone.further", "the pattern says that detail.gone is a value"),
    ],
)
def test_a_path_that_no_event_can_have_is_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_path("value", path, PATTERN)


@pytest.mark.parametrize("value", ["", "5", "$5", "$$.detail", "a$.detail", "US$"])
def test_other_values_are_no_paths(value: str) -> None:
    assert not is_path(value)
