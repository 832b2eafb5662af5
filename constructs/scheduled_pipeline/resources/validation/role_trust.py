"""Whether a role that was brought in can be assumed by the service that it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsii
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import IValidation

_ANYBODY = "*"
_ASSUME = {"sts:AssumeRole", "sts:*", "*"}


@jsii.implements(IValidation)
class RoleTrustValidation:
    """Finds, when the app is synthesized, a role made in the app that does not trust a service.

    Only then is it known whom the role trusts. A role that is not made in the app cannot be seen.
    """

    def __init__(self, role: iam.IRole, service: str, where: str) -> None:
        self._role = role
        self._service = service
        self._where = where

    @jsii.member(jsii_name="validate")
    def validate(self) -> list[str]:
        """Return one sentence if the service cannot assume the role."""
        trusted = _trusted(self._role)
        if trusted is None or self._service in trusted or _ANYBODY in trusted:
            return []
        found = ", ".join(sorted(trusted)) or "nobody"
        problem = (
            f"{self._where} must be a role that {self._service} may assume, got {self._role.node.path}, "
            f"which trusts {found}; make it with assumed_by=ServicePrincipal({self._service!r})"
        )
        return [problem]


def _trusted(role: iam.IRole) -> set[str] | None:
    """Whom a role made in the app trusts, None where that cannot be seen."""
    policy = role.assume_role_policy if isinstance(role, iam.Role) else None
    if policy is None:
        return None
    document = Stack.of(role).resolve(policy)
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else []:
        actions = statement.get("Action")
        listed = actions if isinstance(actions, list) else [actions]
        if statement.get("Effect") == "Allow" and _ASSUME.intersection(map(str, listed)):
            found.update(_principals(statement.get("Principal")))
    return found


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
    for kind, names in principal.items() if isinstance(principal, Mapping) else ():
        for name in names if isinstance(names, list) else [names]:
            if isinstance(name, str):
                yield name
            else:  # a service whose name only the deployment knows may be the one
                yield _ANYBODY if kind == "Service" else "an account or a role"
