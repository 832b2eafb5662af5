"""``StepType``: what is known of one type of step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.created import Created
from scheduled_pipeline.definition.step_types.shape_notation import Shape

Needs = Callable[[PlacedStep, Resolver], Iterator[Permission]]
"""Yields what one step of a definition needs."""


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """What the execution role must be allowed for a type of step, beside what the step's arguments name.

    Attributes:
        created: what the step creates in SageMaker.
        needs: what else it does in SageMaker.
        then: what it asks of other services; in the policy that stands behind what its arguments name.
        nothing: the reason why it needs no more than what its arguments and expressions name.
        not_known: the reason why what it needs cannot be told. Synth warns of each step of the type.
    """

    created: Created | None = None
    needs: tuple[Needs, ...] = ()
    then: tuple[Needs, ...] = ()
    nothing: str = ""
    not_known: str = ""

    @property
    def known(self) -> bool:
        """Whether the row says what the type needs, or that it needs nothing."""
        return bool(self.created or self.needs or self.then or self.nothing) and not self.not_known


@dataclass(frozen=True, kw_only=True, eq=False)
class StepType:
    """One type of step.

    Shapes are named as in ``validation.service_models``: ``sagemaker:CreateModelInput`` is botocore's, a name
    without a colon is one of the definition's format, which the ``shapes`` of all rows are part of.

    Attributes:
        name: the ``Type`` of a step.
        permissions: what the execution role must be allowed for it.
        arguments: the shape of its ``Arguments``.
        properties: the shapes that together have what lies behind ``Steps.<name>.``; where two have a member,
            the last counts. None if no source tells them.
        shapes: the shapes that this type brings to the format.
        members: the members of a step of the type beside those that all have, each with its shape.
        required: those that it cannot do without.
        cached: whether it may have a ``CacheConfig``.
        retried: whether it may have ``RetryPolicies``.
        refuses: the types that cannot stand inside it.
        entries: its properties that are lists in which ``list['name']`` finds an entry that its arguments
            declare, each with the member that has the name.
        log_groups: the CloudWatch log groups of its containers. The namespaces of their metrics begin alike.
        uses_places: whether the places in S3 among its arguments are read and written with the role, and not
            by a function, a queue or a cluster with a role of its own.
        uses_resources: whether the images, keys, networks and secrets among them are.
        passes_roles: whether it hands the roles among them to SageMaker.
        checks: whether the pipeline service reads what its job writes.
        deletes: whether it deletes the places in S3 that its arguments name.
        unknown: yields its members that name something which the definition does not tell.
    """

    name: str
    permissions: Permissions
    arguments: str = "Anything"
    properties: tuple[str, ...] | None = None
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ("Arguments",)
    cached: bool = False
    retried: bool = False
    refuses: tuple[str, ...] = ()
    entries: Mapping[str, str] = field(default_factory=dict)
    log_groups: tuple[str, ...] = ()
    uses_places: bool = True
    uses_resources: bool = True
    passes_roles: bool = True
    checks: bool = False
    deletes: bool = False
    unknown: Callable[[PlacedStep, Resolver], Iterator[str]] | None = None
