"""``Permission``: one thing that an execution role has to be allowed, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

EVERYTHING = "*"
"""The resource of actions that IAM cannot scope."""
EXECUTION_ROLE = "${ExecutionRole}"
"""Stands for the ARN of the role itself."""

Condition = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Permission:
    """What the steps of a pipeline need.

    Attributes:
        actions: as IAM names them, for example ``s3:GetObject``.
        resources: ARNs with ``${Partition}``, ``${Region}`` and ``${Account}`` as in the Service
            Authorization Reference; ``EVERYTHING``; or ``EXECUTION_ROLE``.
        conditions: operator, key and values of each.
        steps: the names of the steps that need it; empty when the whole pipeline does.
        reason: one sentence without its full stop.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    steps: tuple[str, ...] = ()
    reason: str


def allow(
    actions: str | Iterable[str],
    resources: str | Iterable[str],
    reason: str,
    *,
    step: str | None = None,
    conditions: Iterable[Condition] = (),
) -> Permission:
    """Make a permission; one action or resource may be given as it is."""
    return Permission(
        actions=_several(actions),
        resources=_several(resources),
        conditions=tuple(conditions),
        steps=() if step is None else (step,),
        reason=reason,
    )


def arn(service: str, name: str, *, region: str = "${Region}", account: str = "${Account}") -> str:
    """Return the ARN of a resource; ``name`` is all that follows the account."""
    return f"arn:${{Partition}}:{service}:{region}:{account}:{name}"


def sagemaker(kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the ARNs of resources of SageMaker's, each as it was named and in lower case.

    SageMaker writes names in lower case in its ARNs; IAM compares letter by letter.
    """
    spellings = dict.fromkeys(spelling for name in names for spelling in (name.lower(), name))
    return tuple(arn("sagemaker", f"{kind}/{name}") for name in spellings)


def sagemaker_actions(*names: str) -> list[str]:
    """Return actions of SageMaker's as IAM names them."""
    return [f"sagemaker:{name}" for name in names]


def pass_role(role: str, service: str, reason: str, step: str | None = None) -> Permission:
    """Return the permission to hand a role to one service and no other."""
    condition = ("StringEquals", "iam:PassedToService", (service,))
    return allow("iam:PassRole", role, reason, step=step, conditions=[condition])


def merged(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """Return the permissions, those that differ in nothing but their steps as one."""
    found: dict[Permission, dict[str, None]] = {}
    for permission in permissions:
        steps = found.setdefault(replace(permission, steps=()), {})
        steps.update(dict.fromkeys(permission.steps))
    return tuple(replace(permission, steps=tuple(steps)) for permission, steps in found.items())


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return an ARN with ``${Name}`` replaced by ``values["Name"]``."""
    for name, value in values.items():
        template = template.replace(f"${{{name}}}", value)
    return template


def _several(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
