"""Where a construct is deployed to, looked up once: each question to the CDK is a trip to another process."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

from aws_cdk import Stack, Stage, Token
from constructs import IConstruct

from scheduled_pipeline.tokens import holds_token

_Fact = TypeVar("_Fact")
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Place:
    """What a stack says of itself.

    Attributes:
        stack: the stack.
        account: its account, a token where it is not known.
        region: its Region, a token where it is not known.
        partition: its AWS partition, a token where the Region is not known.
        stage_path: the path of its stage, empty for the app.
        root: the app.
    """

    stack: Stack
    account: str
    region: str
    partition: str
    stage_path: str
    root: IConstruct

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in the stack's partition, Region and account; ``resource`` has its type."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


_places: WeakKeyDictionary[IConstruct, Place] = WeakKeyDictionary()
_paths: WeakKeyDictionary[IConstruct, str] = WeakKeyDictionary()
_attributes: WeakKeyDictionary[IConstruct, dict[str, str]] = WeakKeyDictionary()


def place_of(scope: IConstruct) -> Place:
    """Return where ``scope`` is deployed to."""
    return _known(_places, scope, lambda: _place(Stack.of(scope)))


def path_of(scope: IConstruct) -> str:
    """Return the path of ``scope`` in the app."""
    return _known(_paths, scope, lambda: str(scope.node.path))


def settle(construct: IConstruct, scope: IConstruct, construct_id: str) -> None:
    """Note where a new construct is, which its scope knows already."""
    path = path_of(scope)
    _paths[construct] = f"{path}/{construct_id}" if path else construct_id
    _places[construct] = place_of(scope)


def attribute_of(construct: IConstruct, name: str) -> str:
    """Return an attribute of ``construct`` that never changes, such as ``role_arn``."""
    return _known(_attributes.setdefault(construct, {}), name, lambda: str(getattr(construct, name)))


def is_token(value: object) -> bool:
    """Whether ``value`` is known at deploy time only, in whole or in part; a string is looked at here."""
    if isinstance(value, str):
        return holds_token(value)
    return value is not None and not isinstance(value, bool) and bool(Token.is_unresolved(value))


def _place(stack: Stack) -> Place:
    return _known(_places, stack, lambda: _ask(stack))


def _ask(stack: Stack) -> Place:
    stage = Stage.of(stack)
    return Place(
        stack=stack,
        account=stack.account,
        region=stack.region,
        partition=stack.partition,
        stage_path=stage.node.path if stage else "",
        root=stack.node.root,
    )


def _known(facts: MutableMapping[_Key, _Fact], key: _Key, ask: Callable[[], _Fact]) -> _Fact:
    known = facts.get(key)
    if known is None:
        known = facts[key] = ask()
    return known
