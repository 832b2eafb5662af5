"""What starts a SageMaker pipeline in an account: a schedule, or a target of an event rule, as AWS has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self

from scheduled_pipeline.trigger.start_target import PIPELINE_ARN, is_start_call, parameters_of, pipeline_named

SCHEDULE = "schedule"
RULE = "rule"


@dataclass(frozen=True, kw_only=True)
class PipelineReference:
    """The pipeline that a trigger starts.

    Attributes:
        named: its name or its ARN, as the trigger has it.
        name: an ARN's may be in lower case.
        region: of the pipeline.
        account: twelve digits.
    """

    named: str
    name: str
    region: str
    account: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Account, Region and name in lower case: equal for the same pipeline."""
        return self.account, self.region, self.name.lower()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class TriggerRecord:
    """A schedule of EventBridge Scheduler, or one target of a rule of EventBridge, that starts a pipeline.

    A rule with two pipelines for targets makes two records, which differ in ``target_id``.

    Attributes:
        kind: ``schedule`` or ``rule``.
        name: of the schedule or the rule.
        arn: of the schedule or the rule.
        group: the schedule's group, or the rule's event bus.
        state: ``ENABLED``, ``DISABLED``, or another that AWS has for rules.
        target_arn: the pipeline's, or that of the call ``StartPipelineExecution``.
        pipeline: what is started; nothing when the call's input does not name it.
        expression: the schedule expression; nothing for a rule on events.
        timezone: whose wall clock it is; a rule's is UTC.
        start: ``StartDate``, aware.
        end: ``EndDate``, aware.
        created: when it was made, aware; nothing for a rule.
        window_minutes: of the flexible time window; nothing when it is off.
        description: as given.
        role_arn: the role that starts the pipeline.
        parameters: names and values, in the order given.
        input: the request of the call ``StartPipelineExecution``, or what else the target is given, as it is.
        event_pattern: of a rule on events, as JSON.
        dead_letter_arn: the queue for starts that failed.
        maximum_retry_attempts: of the retry policy.
        maximum_event_age_seconds: of the retry policy.
        kms_key_arn: that encrypts the schedule.
        action_after_completion: ``DELETE`` or ``NONE``, of a schedule.
        target_id: of a rule's target.
        other_targets: how many targets the rule has beside this one.
        managed_by: the AWS service that made the rule.
        owner: the stack that owns it, or the AWS service; nothing when none does, or before it is looked up.
    """

    kind: str
    name: str
    arn: str
    group: str
    state: str
    target_arn: str
    pipeline: PipelineReference | None
    expression: str | None = None
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    created: datetime | None = None
    window_minutes: int | None = None
    description: str | None = None
    role_arn: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    input: str | None = None
    event_pattern: str | None = None
    dead_letter_arn: str | None = None
    maximum_retry_attempts: int | None = None
    maximum_event_age_seconds: int | None = None
    kms_key_arn: str | None = None
    action_after_completion: str | None = None
    target_id: str | None = None
    other_targets: int = 0
    managed_by: str | None = None
    owner: str | None = None

    @classmethod
    def from_schedule(cls, answer: Mapping[str, Any]) -> Self:
        """The record of an answer of GetSchedule.

        https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html
        """
        target = answer["Target"]
        window = answer.get("FlexibleTimeWindow") or {}
        retry = target.get("RetryPolicy") or {}
        return cls(
            kind=SCHEDULE,
            name=answer["Name"],
            arn=answer["Arn"],
            group=answer["GroupName"],
            state=answer["State"],
            target_arn=target["Arn"],
            pipeline=_pipeline(target, answer["Arn"]),
            expression=answer["ScheduleExpression"],
            timezone=answer.get("ScheduleExpressionTimezone") or "UTC",
            start=_moment(answer.get("StartDate")),
            end=_moment(answer.get("EndDate")),
            created=_moment(answer.get("CreationDate")),
            window_minutes=window.get("MaximumWindowInMinutes") if window.get("Mode") == "FLEXIBLE" else None,
            description=answer.get("Description") or None,
            role_arn=target.get("RoleArn"),
            parameters=parameters_of(target),
            input=target.get("Input"),
            dead_letter_arn=(target.get("DeadLetterConfig") or {}).get("Arn"),
            maximum_retry_attempts=retry.get("MaximumRetryAttempts"),
            maximum_event_age_seconds=retry.get("MaximumEventAgeInSeconds"),
            kms_key_arn=answer.get("KmsKeyArn"),
            action_after_completion=answer.get("ActionAfterCompletion"),
        )

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> Self:
        """The record of a member of an answer of ListSchedules, which knows neither expression nor input.

        https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ScheduleSummary.html
        """
        return cls(
            kind=SCHEDULE,
            name=summary["Name"],
            arn=summary["Arn"],
            group=summary["GroupName"],
            state=summary["State"],
            target_arn=summary["Target"]["Arn"],
            pipeline=_pipeline(summary["Target"], summary["Arn"]),
            created=_moment(summary.get("CreationDate")),
        )

    @classmethod
    def from_rule(cls, rule: Mapping[str, Any], target: Mapping[str, Any], *, other_targets: int = 0) -> Self:
        """The record of one target of a rule.

        Args:
            rule: an answer of DescribeRule, or a member of one of ListRules.
            target: a member of an answer of ListTargetsByRule.
            other_targets: how many targets the rule has beside it.
        """
        retry = target.get("RetryPolicy") or {}
        return cls(
            kind=RULE,
            name=rule["Name"],
            arn=rule["Arn"],
            group=rule.get("EventBusName") or "default",
            state=rule["State"],
            target_arn=target["Arn"],
            pipeline=_pipeline(target, rule["Arn"]),
            expression=rule.get("ScheduleExpression") or None,
            description=rule.get("Description") or None,
            role_arn=target.get("RoleArn") or rule.get("RoleArn"),
            parameters=parameters_of(target),
            input=target.get("Input")
            or target.get("InputPath")
            or (target.get("InputTransformer") or {}).get("InputTemplate"),
            event_pattern=rule.get("EventPattern") or None,
            dead_letter_arn=(target.get("DeadLetterConfig") or {}).get("Arn"),
            maximum_retry_attempts=retry.get("MaximumRetryAttempts"),
            maximum_event_age_seconds=retry.get("MaximumEventAgeInSeconds"),
            target_id=target["Id"],
            other_targets=other_targets,
            managed_by=rule.get("ManagedBy") or None,
        )

    @cached_property
    def region(self) -> str:
        """The Region of the schedule or the rule."""
        return self.arn.split(":")[3]

    @cached_property
    def account(self) -> str:
        """The account of the schedule or the rule."""
        return self.arn.split(":")[4]

    @property
    def enabled(self) -> bool:
        """Whether it starts the pipeline."""
        return self.state != "DISABLED"

    @property
    def is_start_call(self) -> bool:
        """Whether the target is the call ``StartPipelineExecution``, with the request in ``input``."""
        return is_start_call(self.target_arn)

    @property
    def path(self) -> str:
        """Group or bus, a slash and the name."""
        return f"{self.group}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.path} in {self.region}"

    def owned_by(self, owner: str | None) -> Self:
        """The same record with its owner."""
        return replace(self, owner=owner)


def _pipeline(target: Mapping[str, Any], trigger_arn: str) -> PipelineReference | None:
    named = pipeline_named(target)
    if named is None:
        return None
    match = PIPELINE_ARN.fullmatch(named)
    if match is not None:
        return PipelineReference(named=named, **match.groupdict())
    region, account = trigger_arn.split(":")[3:5]
    return PipelineReference(named=named, name=named, region=region, account=account)


def _moment(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)
