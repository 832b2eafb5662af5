"""Makes placeholders for the tokens in a string, which a build function is given in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aws_cdk import Fn, Reference, Stack, Token, Tokenization
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.resources.jsii_cache import is_token, place_of

_TOKEN = re.compile(r"(\$\{Token\[[^\]]*\]\})")
_PSEUDO_PARAMETER = re.compile(r"\$\{(AWS::[A-Za-z]+)\}")


def late_value(scope: Construct, name: str, value: str, partition: str) -> tuple[str, dict[str, str]]:
    """Return a text with placeholders for the tokens of ``value``, and what is bound to them.

    What is not a token stays as it is, and the ARN of a resource looks like an ARN: so the SDK, and what
    derives the permissions, see the scheme of a URI, the repository of an image, or that a role is no name.

    Args:
        scope: where the value is used.
        name: of the value.
        value: a string with at least one token.
        partition: the AWS partition of the stack.
    """
    if _TOKEN.fullmatch(value):
        token = Tokenization.reverse_string(value).first_token
        if isinstance(token, Reference):
            return _attribute(scope, name, value, token, partition)
        value = _without_sub(scope, value)
    parts = _TOKEN.split(value)
    tokens = list(dict.fromkeys(parts[1::2]))
    names = dict(zip(tokens, _names(name, len(tokens)), strict=True))
    given = "".join(names.get(part, part) for part in parts)
    return given, {placeholder: token for token, placeholder in names.items()}


def _names(name: str, count: int) -> Iterator[str]:
    yield placeholders.value(name)
    for index in range(1, count):
        yield placeholders.value(f"{name}\0{index}")


def _attribute(
    scope: Construct, name: str, value: str, token: Reference, partition: str
) -> tuple[str, dict[str, str]]:
    placeholder, region = placeholders.value(name), place_of(scope).region
    if token.display_name.endswith("Arn"):
        arn = placeholders.value_arn(name, partition)
        return arn, {arn: value}
    is_name = token.display_name == "Ref"
    if is_name and isinstance(token.target, kms.CfnKey):
        placeholder = placeholders.key_id(name)
    elif is_name and isinstance(token.target, sqs.CfnQueue) and not is_token(region):
        # The URL of a queue ends in its name, which is what its ARN needs.
        url = f"https://sqs.{region}.amazonaws.com/{placeholders.ACCOUNT}/{placeholder}"
        return url, {url: value, placeholder: token.target.attr_queue_name}
    return placeholder, {placeholder: value}


def _without_sub(scope: Construct, value: str) -> str:
    """Write an ``Fn::Sub`` of pseudo parameters alone, as an image asset has, as a text of tokens."""
    resolved = Stack.of(scope).resolve(value)
    text = resolved.get("Fn::Sub") if isinstance(resolved, dict) else None
    if not isinstance(text, str) or "${" in _PSEUDO_PARAMETER.sub("", text):
        return value
    return _PSEUDO_PARAMETER.sub(lambda match: Token.as_string(Fn.ref(match[1])), text)
