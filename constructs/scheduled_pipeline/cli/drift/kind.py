"""A type of resource that is compared, and one such resource of a template."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.drift.values import Comparison, compare


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A resource of a template that is deployed.

    Attributes:
        kind: its type.
        stack: name of the stack.
        region: where it is.
        logical_id: in the template.
        name: physical name.
        group: the schedule group or the event bus, if the type has one.
        properties: those of the template, with their functions carried out.
        waiting: whether they are not those that are deployed.
        there: whether the deployed stack has the resource.
        extra: what else the type needs.
    """

    kind: Kind
    stack: str
    region: str
    logical_id: str
    name: str
    group: str | None = None
    properties: Mapping[str, Any]
    waiting: bool = False
    there: bool = True
    extra: Any = None


class Kind(ABC):
    """A type of resource.

    Attributes:
        name: for people.
        template_type: as templates write it.
    """

    name: str
    template_type: str

    @abstractmethod
    def read(self, aws: Aws, declared: Declared) -> Any:
        """What the account has of it, as the API answers; nothing when it is not there."""

    @abstractmethod
    def template_form(self, declared: Declared) -> Any:
        """What the template says, in the form in which it is compared."""

    @abstractmethod
    def account_form(self, answer: Any) -> Any:
        """What the account has, in the same form."""

    @abstractmethod
    def put_back(self, aws: Aws, declared: Declared, answer: Any) -> None:
        """Make the account have what the template says.

        Args:
            aws: who asks.
            declared: all of its properties are known.
            answer: of ``read``.
        """

    def compared(self, declared: Declared, answer: Any) -> Comparison:
        """Where the two differ."""
        return compare(self.template_form(declared), self.account_form(answer))
