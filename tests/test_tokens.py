"""How the CDK writes a token is known in one place, and is what the CDK does."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import Token

from scheduled_pipeline import tokens

PACKAGE = Path(__file__).resolve().parents[1] / "constructs" / "scheduled_pipeline"


def test_the_text_around_a_token_is_written_once() -> None:
    files = [path.name for path in PACKAGE.rglob("*.py") if tokens.TOKEN in path.read_text(encoding="utf-8")]
    assert files == ["tokens.py"]


@pytest.mark.parametrize("text", ["", "s3://my-bucket/x", "${AWS::Region}", "Token["])
def test_a_string_without_a_token_is_known(text: str) -> None:
    assert not tokens.holds_token(text)


def test_a_string_with_a_token_of_the_cdk_is_not_known() -> None:
    assert tokens.holds_token("s3://" + Token.as_string({"Ref": "Bucket"}) + "/x")
