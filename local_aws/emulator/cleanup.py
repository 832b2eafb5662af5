"""The cleanup of a stack update: what depends on another resource is deleted before it.

MiniStack deletes first what an update has replaced and then what it has removed, whatever depends on what.
"Resource A is deleted before resource B", if A depends on B:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from local_aws.emulator.api import Json

_ministack_deploy: Final = stacks._deploy_stack_async
_ministack_delete: Final = stacks._delete_resource


@dataclass
class Cleanup:
    """What one update removes, and which of it is gone already."""

    stack_name: str
    template: Json
    resources: Json
    removed: frozenset[str]
    gone: set[str] = field(default_factory=set)

    def dependents(self, logical_id: str) -> Iterator[str]:
        """What is removed, not retained, and depends on a resource; dependents first."""
        definitions = self.template.get("Resources", {})
        behind = {logical_id}
        ordered = [name for name in stacks._topological_sort(definitions, {}) if name != logical_id]
        for name in ordered:
            if behind & stacks._extract_deps(definitions[name], set(definitions)):
                behind.add(name)
        for name in reversed(ordered):
            if name in behind & self.removed and "DeletionPolicy" not in definitions[name]:
                yield name


_running: ContextVar[Cleanup | None] = ContextVar("cleanup", default=None)


async def deploy(stack_name: str, stack_id: str, template: Json, *rest: Any, **options: Any) -> None:
    """Create or update a stack; an update knows what it removes."""
    previous = options.get("previous_stack") or {}
    resources = previous.get("_resources", {})
    removed = frozenset(resources) - frozenset(template.get("Resources", {}))
    _running.set(Cleanup(stack_name, previous.get("_template") or {}, dict(resources), removed))
    await _ministack_deploy(stack_name, stack_id, template, *rest, **options)


def delete_resource(
    resource_type: str, physical_id: str, properties: Json, stack_name: str, logical_id: str
) -> None:
    """Delete a resource; in a cleanup, what is removed and depends on it goes before it."""
    cleanup = _running.get()
    if cleanup is not None and logical_id in cleanup.gone:
        return
    if cleanup is not None and cloudformation._stacks[stack_name]["StackStatus"] == "UPDATE_IN_PROGRESS":
        for name in cleanup.dependents(logical_id):
            # What cannot be deleted is tried again in its own turn, which records why.
            with contextlib.suppress(Exception):
                resource = cleanup.resources[name]
                identity = (resource["ResourceType"], resource["PhysicalResourceId"], resource["Properties"])
                _ministack_delete(*identity, stack_name, name)
                cleanup.gone.add(name)
    _ministack_delete(resource_type, physical_id, properties, stack_name, logical_id)


def install() -> None:
    """Put the order into MiniStack's engine."""
    stacks._deploy_stack_async = deploy
    stacks._delete_resource = delete_resource
