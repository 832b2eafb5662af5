"""A role that the app makes for a service that cannot assume it is found at synth."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack, Token
from aws_cdk import aws_iam as iam
from template_parts import NIGHTLY, NewStack

from scheduled_pipeline import EventTrigger, PipelineDefinition, ScheduledPipeline

SERVICES = {
    "execution_role": "sagemaker.amazonaws.com",
    "scheduler_role": "scheduler.amazonaws.com",
    "event_role": "events.amazonaws.com",
}
EVENTS = {"New": EventTrigger.pattern({"source": ["my.app"]})}


def problems(stack: Stack, definition: PipelineDefinition, **roles: Any) -> list[str]:
    """What the construct would tell at synth."""
    schedules = {"Nightly": NIGHTLY}
    made = ScheduledPipeline(stack, "T", definition=definition, schedules=schedules, events=EVENTS, **roles)
    return list(made.node.validate())


@pytest.mark.parametrize("field", SERVICES)
def test_a_role_for_another_service_is_refused(
    new_stack: NewStack, definition: PipelineDefinition, field: str
) -> None:
    stack = new_stack()
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    (problem,) = problems(stack, definition, **{field: role})
    assert problem == (
        f"Stack/T: {field} must be a role that {SERVICES[field]} may assume, got Stack/Role, "
        f"which trusts lambda.amazonaws.com; make it with assumed_by=ServicePrincipal({SERVICES[field]!r})"
    )


def test_it_stops_the_synth(new_stack: NewStack, definition: PipelineDefinition) -> None:
    stack = new_stack()
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    ScheduledPipeline(stack, "T", definition=definition, execution_role=role)
    app = stack.node.root
    assert isinstance(app, App)
    with pytest.raises(RuntimeError, match=r"must be a role that sagemaker\.amazonaws\.com may assume"):
        app.synth()


def test_a_role_for_accounts_alone_is_refused(new_stack: NewStack, definition: PipelineDefinition) -> None:
    stack = new_stack()
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    (problem,) = problems(stack, definition, scheduler_role=role)
    assert "which trusts arn:aws:iam::111122223333:root; make it with" in problem


def test_roles_that_trust_their_service_are_taken(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    stack = new_stack()
    one = iam.Role(stack, "One", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    both = iam.CompositePrincipal(
        iam.ServicePrincipal("scheduler.amazonaws.com"), iam.ServicePrincipal("events.amazonaws.com")
    )
    shared = iam.Role(stack, "Shared", assumed_by=both)
    assert problems(stack, definition, execution_role=one, scheduler_role=shared, event_role=shared) == []


def test_trust_that_is_added_later_counts(new_stack: NewStack, definition: PipelineDefinition) -> None:
    stack = new_stack()
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    statement = iam.PolicyStatement(
        actions=["sts:AssumeRole"], principals=[iam.ServicePrincipal("scheduler.amazonaws.com")]
    )
    assert role.assume_role_policy is not None
    made = ScheduledPipeline(stack, "T", definition=definition, scheduler_role=role)
    assert len(made.node.validate()) == 1
    role.assume_role_policy.add_statements(statement)
    assert made.node.validate() == []


def test_what_cannot_be_seen_is_taken(new_stack: NewStack, definition: PipelineDefinition) -> None:
    stack = new_stack()
    imported = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/theirs")
    late = iam.Role(stack, "Late", assumed_by=iam.ServicePrincipal(Token.as_string({"Ref": "Service"})))
    assert problems(stack, definition, execution_role=imported, scheduler_role=late) == []
