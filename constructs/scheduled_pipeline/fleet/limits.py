"""Whether the stacks of a fleet stay within the limits of CloudFormation and IAM.

They are estimated from the parts of the pipelines. The templates themselves are not read: they are in
another process, and those of a fleet have many megabytes. The figures are those of this package, rounded up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jsii
from constructs import IValidation

from scheduled_pipeline.construct import ScheduledPipeline
from scheduled_pipeline.fleet.stack import FleetStack
from scheduled_pipeline.resources.jsii_cache import path_of

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html, less one tenth
# for what is added to the stacks from outside. The role's: 10,240 for all inline policies, without white
# space, less what is in it for the queue and the key.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MAX_RESOURCES = 450
MAX_TEMPLATE_BYTES = 900_000
MAX_POLICY_CHARACTERS = 9_500

# Resources, and bytes of a template beside the definition, for each of a kind.
_STACK = (8, 9_000)
_PIPELINE = (3, 5_000)
_SCHEDULE = (1, 1_800)
_EVENT = (3, 3_500)
_NOTIFICATION = (1, 3_000)
# Of a definition in S3: its own; and once, what writes it. The bytes are in those of the definition.
_IN_S3 = (2, 0)
_WRITER = (8, 0)
# Of an ARN: all but the name of the pipeline.
_ARN_CHARACTERS = 70


@dataclass(frozen=True)
class Load:
    """What a stack holds.

    Attributes:
        resources: how many.
        template_bytes: size of the template.
        policy_characters: size of the policy of the scheduler role.
    """

    resources: int
    template_bytes: int
    policy_characters: int


def load_of(stack: FleetStack) -> Load:
    """Return about what ``stack`` holds, never less than it does."""
    parts = [_STACK]
    definitions = policy = 0
    for member in stack.members.values():
        parts += [_PIPELINE]
        parts += [_SCHEDULE] * len(member.schedules)
        parts += [_EVENT] * len(member.event_rules)
        parts += [_NOTIFICATION] if member.monitoring.rule else []
        parts += [_IN_S3] if member.pipeline.definition.kind == "s3" else []
        definitions += member.pipeline.definition.template_bytes
        policy += _policy_characters(member)
    parts += [_WRITER] if _IN_S3 in parts else []
    return Load(
        resources=sum(count for count, _ in parts),
        template_bytes=sum(size for _, size in parts) + definitions,
        policy_characters=policy,
    )


@jsii.implements(IValidation)
class FleetLoadValidation:
    """Finds, when the app is synthesized, the stacks that hold too much."""

    def __init__(self, stacks: Mapping[str, FleetStack]) -> None:
        self._stacks = stacks

    @jsii.member(jsii_name="validate")
    def validate(self) -> list[str]:
        """Return one sentence for each limit that a stack does not keep."""
        return [problem for stack in self._stacks.values() for problem in _problems(stack)]


def _problems(stack: FleetStack) -> list[str]:
    load = load_of(stack)
    return [
        f"{path_of(stack)}: its {len(stack.members)} pipelines make about {found:,} {what}, at most "
        f"{allowed:,} are allowed; give the newest of them stack= with the id of another stack, such as "
        "'More', and nothing else moves (docs/fleets.md)"
        for what, found, allowed in (
            ("resources", load.resources, MAX_RESOURCES),
            ("bytes of template", load.template_bytes, MAX_TEMPLATE_BYTES),
            ("characters in the policy of the scheduler role", load.policy_characters, MAX_POLICY_CHARACTERS),
        )
        if found > allowed
    ]


def _policy_characters(member: ScheduledPipeline) -> int:
    if not member.schedules:
        return 0
    return len(member.pipeline.start_arns) * (_ARN_CHARACTERS + len(member.pipeline.declared_name))
