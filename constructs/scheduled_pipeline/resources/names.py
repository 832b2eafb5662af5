"""Physical names: cut to length with a hash, and never twice in one account and Region."""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary

from aws_cdk import Names, Stack, Stage, Token
from constructs import Construct, IConstruct

MAX_TRIGGER_NAME = 64
_MAX_DERIVED_PIPELINE_NAME = 63

_taken: WeakKeyDictionary[IConstruct, dict[tuple[str, str, str], str]] = WeakKeyDictionary()


def derived_pipeline_name(scope: Construct) -> str:
    """Return a name made from the construct's path, the same on every synth."""
    return Names.unique_resource_name(scope, max_length=_MAX_DERIVED_PIPELINE_NAME, separator="-")


def derived_trigger_name(pipeline_name: str, key: str, *, place: str = "") -> str:
    """Return ``<pipeline>-<key>``, its front cut and a hash put in where that is over 64 characters.

    ``place`` is a schedule group that was made elsewhere, or nothing; its hash is put behind the key.
    CloudFormation cannot move a schedule to another group (https://github.com/aws/aws-cdk/issues/34216):
    with another name it makes a new schedule there and deletes the old one.
    """
    if place:
        key = f"{key}-{hashlib.sha256(place.encode()).hexdigest()[:6]}"
    name = f"{pipeline_name}-{key}"
    if len(name) <= MAX_TRIGGER_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    tail = f"-{digest}-{key[: MAX_TRIGGER_NAME // 2]}"
    return pipeline_name[: MAX_TRIGGER_NAME - len(tail)].rstrip("-") + tail


def claim(scope: Construct, kind: str, name: str, *, shown: str | None = None) -> None:
    """Note that ``scope`` uses a physical name; two of a kind in one place cannot both be deployed.

    A place is an account and a Region. Stacks without an account are compared within their stage
    only, because two stages may be deployed with the credentials of two accounts. ``shown`` is the name
    in errors, where names are compared in another form.

    Raises:
        ValueError: another construct of the app has the name already.
    """
    if Token.is_unresolved(name):
        return
    stack = Stack.of(scope)
    stage = Stage.of(scope)
    account = stack.account
    if Token.is_unresolved(account):
        account = f"stage {stage.node.path if stage else ''}"
    place = (kind, f"{account}/{stack.region if not Token.is_unresolved(stack.region) else ''}", name)
    taken = _taken.setdefault(scope.node.root, {})
    if place in taken:
        raise ValueError(
            f"{scope.node.path}: the {kind} name {(shown or name)!r} is already taken by {taken[place]}; "
            "names must be unique in an account and Region"
        )
    taken[place] = scope.node.path
