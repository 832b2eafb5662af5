"""Where a construct is deployed to, asked once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, Environment, Stack, Stage, Token
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources.jsii_cache import attribute_of, is_token, path_of, place_of, settle


def test_a_place_is_that_of_the_stack(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    place = place_of(Construct(stack, "Part"))
    assert (place.account, place.region, place.partition) == ("111122223333", "eu-west-1", "aws")
    assert place.stage_path == ""
    assert place.arn("sagemaker", "pipeline/a") == "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/a"


def test_a_place_knows_its_stage() -> None:
    stage = Stage(App(), "Dev", env=Environment(region="eu-west-1"))
    place = place_of(Stack(stage, "Stack"))
    assert place.stage_path == "Dev"
    assert is_token(place.account)


def test_what_is_settled_is_where_its_scope_is(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    part = Construct(stack, "Part")
    settle(part, stack, "Part")
    assert path_of(part) == part.node.path == "Stack/Part"
    assert place_of(part) is place_of(stack)


def test_an_attribute_is_what_the_construct_says(new_stack: Callable[..., Stack]) -> None:
    queue = sqs.Queue(new_stack(), "Queue")
    assert attribute_of(queue, "queue_arn") == attribute_of(queue, "queue_arn") == queue.queue_arn


@pytest.mark.parametrize(
    ("value", "known"), [("text", True), ("$Token", True), (7, True), (None, True), (False, True)]
)
def test_what_is_known_is_no_token(value: object, known: bool) -> None:
    assert is_token(value) is not known


def test_tokens_are_found_in_strings_and_numbers(new_stack: Callable[..., Stack]) -> None:
    arn = sqs.Queue(new_stack(), "Queue").queue_arn
    assert is_token(arn)
    assert is_token(f"before-{arn}-after")
    assert is_token(Token.as_number(arn))
