"""``EventTrigger``: which event starts a pipeline, and with what.

Amazon SNS does not send its messages to EventBridge, only CloudTrail's record of calls to its API
(https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-sns.html), so there is no factory for topics: a
subscriber that puts events on a bus is needed, and ``EventTrigger.pattern`` matches what it puts there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypedDict, Unpack

from scheduled_pipeline.start_values import StartValue
from scheduled_pipeline.tokens import holds_token
from scheduled_pipeline.trigger import checks, sagemaker_events
from scheduled_pipeline.trigger.checks import ParameterValue
from scheduled_pipeline.trigger.description import describe_expression
from scheduled_pipeline.trigger.event_pattern import (
    check_path,
    check_static,
    event_pattern_copy,
    is_path,
    segments_of,
)
from scheduled_pipeline.trigger.expression import Dialect, Expression, Rate, parse_expression
from scheduled_pipeline.trigger.matching.event_shape import ANYTHING, shape_of
from scheduled_pipeline.trigger.matching.s3_filter import key_filter

_BUS_NAME = re.compile(r"(?:arn:[^:]*:events:[^:]*:\d*:event-bus/)?[/.\-_A-Za-z0-9]{1,256}")
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_DEFAULT_BUS = "default"


class EventOptions(TypedDict, total=False):
    """What every factory of ``EventTrigger`` takes besides its event: see that class."""

    event_bus_name: str | None
    enabled: bool
    description: str | None
    parameters: Mapping[str, ParameterValue]
    maximum_retry_attempts: int | None
    maximum_event_age: timedelta | None
    name: str | None


@dataclass(frozen=True, kw_only=True)
class EventTrigger:
    """An EventBridge rule that starts one pipeline.

    Make one with a factory such as ``pattern`` or ``s3_object_created``. Everything is checked on
    construction. Follows the ``PutRule`` reference and
    https://docs.aws.amazon.com/sagemaker/latest/dg/pipeline-eventbridge.html.

    Attributes:
        event_pattern: the events that start it. Either this or ``schedule_expression`` is given.
        schedule_expression: ``cron(...)`` or ``rate(...)``, normalised; in UTC and on the default bus only.
        event_bus_name: name or ARN of the bus. Default: the default bus of the account.
        enabled: whether it starts anything at all. Default: it does.
        description: at most 512 characters. Default: see ``describe``.
        parameters: pipeline parameters by name, at most 200. A string that begins with ``$.`` is a path into
            the event, such as ``$.detail.object.key``, and must be the whole value.
        maximum_retry_attempts: 0 to 185 retries of the start call. Default: 185, the service's.
        maximum_event_age: 60 to 86,400 s for which the start call is retried. Default: 24 hours, the
            service's.
        name: physical name, 1 to 64 of ``0-9a-zA-Z-_.``. Default: made from the
            pipeline's name and the event's key.
    """

    event_pattern: Mapping[str, Any] | None = field(default=None, hash=False)
    schedule_expression: str | None = None
    event_bus_name: str | None = None
    enabled: bool = True
    description: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict, hash=False)
    maximum_retry_attempts: int | None = None
    maximum_event_age: timedelta | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if (self.event_pattern is None) == (self.schedule_expression is None):
            raise ValueError("event_pattern or schedule_expression must be given, and not both")
        if self.event_pattern is not None:
            self._set("event_pattern", event_pattern_copy(self.event_pattern))
        if self.schedule_expression is not None:
            self._set("schedule_expression", str(parse_expression(self.schedule_expression, Dialect.RULE)))
        self._check_bus()
        checks.check_flag("enabled", self.enabled)
        checks.check_description("description", self.description)
        checks.check_retry(self.maximum_retry_attempts, self.maximum_event_age)
        checks.check_name("name", self.name)
        self._check_parameters()
        self._set("parameters", dict(self.parameters))

    @classmethod
    def pattern(cls, event_pattern: Mapping[str, Any], **options: Unpack[EventOptions]) -> EventTrigger:
        """Start on any event that a pattern lets through.

        Args:
            event_pattern: such as ``{"source": ["my.app"], "detail-type": ["Data Ready"]}``.
            options: see the attributes of the class.

        Raises:
            ValueError: for a pattern that AWS refuses or that no event can match.
            TypeError: for a value of another type.
        """
        return cls(event_pattern=event_pattern, **options)

    @classmethod
    def s3_object_created(
        cls, *, bucket_name: str, prefix: str = "", suffix: str = "", **options: Unpack[EventOptions]
    ) -> EventTrigger:
        """Start when an object is written to a bucket, however it is written.

        The bucket must send its events to EventBridge (``event_bridge_enabled=True``). Follows
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: the key is
        ``$.detail.object.key``.

        Args:
            bucket_name: name of the bucket; may be a CDK token.
            prefix: what the key must begin with, without a slash in front. Default: anything.
            suffix: what the key must end with, such as ``.csv``. Default: anything.
            options: see the attributes of the class.
        """
        checks.check_type("bucket_name", bucket_name, str, "a string")
        if not holds_token(bucket_name) and not _BUCKET_NAME.fullmatch(bucket_name):
            raise ValueError(
                f"bucket_name must be the name of a bucket, 3 to 63 of a-z 0-9 . -, got {bucket_name!r}"
            )
        detail: dict[str, Any] = {"bucket": {"name": [bucket_name]}}
        key = key_filter(prefix, suffix)
        if key is not None:
            detail["object"] = {"key": [key]}
        pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}
        return cls._on_documented(pattern, options)

    @classmethod
    def endpoint_state_change(
        cls,
        *,
        endpoint_name: str | None = None,
        status: str | Sequence[str] = (),
        **options: Unpack[EventOptions],
    ) -> EventTrigger:
        """Start when an endpoint changes its state.

        Args:
            endpoint_name: of the endpoint. Default: any.
            status: one or several of ``sagemaker_events.ENDPOINT_STATUSES``, as events write them,
                ``IN_SERVICE``.
                Default: any.
            options: see the attributes of the class.
        """
        pattern = sagemaker_events.endpoint_state_change(endpoint_name, status)
        return cls._on_documented(pattern, options)

    @classmethod
    def training_job_state_change(
        cls,
        *,
        name_prefix: str | None = None,
        status: str | Sequence[str] = (),
        **options: Unpack[EventOptions],
    ) -> EventTrigger:
        """Start when a training job changes its state.

        Args:
            name_prefix: what the name of the job begins with. Default: any.
            status: one or several of ``sagemaker_events.TRAINING_JOB_STATUSES``. Default: any.
            options: see the attributes of the class.
        """
        pattern = sagemaker_events.training_job_state_change(name_prefix, status)
        return cls._on_documented(pattern, options)

    @classmethod
    def pipeline_execution_status_change(
        cls,
        *,
        pipeline_name: str | None = None,
        status: str | Sequence[str] = (),
        **options: Unpack[EventOptions],
    ) -> EventTrigger:
        """Start when an execution of another pipeline changes its status.

        Args:
            pipeline_name: of the other pipeline, in either letter case. Default: any, this one included.
            status: one or several of ``sagemaker_events.PIPELINE_EXECUTION_STATUSES``. Default: any.
            options: see the attributes of the class.
        """
        pattern = sagemaker_events.pipeline_execution_status_change(pipeline_name, status)
        return cls._on_documented(pattern, options)

    @classmethod
    def model_package_approval(
        cls,
        *,
        model_package_group_name: str | None = None,
        status: str | Sequence[str] = "Approved",
        **options: Unpack[EventOptions],
    ) -> EventTrigger:
        """Start when a model package in the registry is approved, once: not on later changes of it.

        The events of all later changes repeat the approval, so the pattern asks that it is what has changed.
        AWS's documents do not say whether a package that is registered as approved counts as a change; use
        ``pattern`` where its creation is to start the pipeline.

        Args:
            model_package_group_name: of the package's group. Default: any.
            status: one or several of ``sagemaker_events.MODEL_APPROVAL_STATUSES``. Default: Approved.
            options: see the attributes of the class.
        """
        pattern = sagemaker_events.model_package_approval(model_package_group_name, status)
        return cls._on_documented(pattern, options)

    @classmethod
    def _on_documented(cls, pattern: Mapping[str, Any], options: EventOptions) -> EventTrigger:
        """Make one on events of a known shape, and refuse paths that they do not have.

        Not for ``pattern``: what AWS adds to its events can be read there before this package knows it.
        """
        trigger = cls(event_pattern=pattern, **options)
        shape = shape_of(trigger.event_pattern)
        assert shape is not None
        for name, path in trigger._paths():
            segments = segments_of(path)
            if shape.value_at(segments) is None:
                raise ValueError(
                    f"parameters[{name!r}] is never in the event {shape.detail_type}, got {path!r}: "
                    f"{shape.hint(segments)}"
                )
        return trigger

    @classmethod
    def cron(cls, expression: str, **options: Unpack[EventOptions]) -> EventTrigger:
        """Start on a calendar, in UTC; ``PipelineSchedule.cron`` does the same in any zone.

        Args:
            expression: six fields, ``minutes hours day-of-month month day-of-week year``, without the word
                cron.
            options: see the attributes of the class.
        """
        checks.check_type("cron", expression, str, "a string")
        return cls(schedule_expression=f"cron({expression})", **options)

    @classmethod
    def rate(cls, interval: timedelta | tuple[int, str], **options: Unpack[EventOptions]) -> EventTrigger:
        """Start at a regular interval from the creation of the rule.

        Args:
            interval: whole minutes, ``timedelta(hours=1)``, or a number and a unit of time, ``(5,
                "minutes")``.
            options: see the attributes of the class.
        """
        return cls(schedule_expression=str(Rate.of(interval)), **options)

    @property
    def state(self) -> Literal["ENABLED", "DISABLED"]:
        """The state as AWS writes it."""
        return "ENABLED" if self.enabled else "DISABLED"

    @property
    def pipeline_parameters(self) -> tuple[tuple[str, str], ...]:
        """Pairs of name and string value, paths among them, in the order given."""
        return checks.parameter_strings(self.parameters, checks.RULE_PARAMETERS)

    @property
    def dynamic_parameters(self) -> frozenset[str]:
        """Names of the parameters whose value is a path into the event."""
        return frozenset(name for name, value in self.pipeline_parameters if is_path(value))

    @property
    def start_values(self) -> dict[str, StartValue]:
        """What the parameters whose value is a path may be, as far as the documents of the event say."""
        shape = shape_of(self.event_pattern)
        found = (
            {} if shape is None else {name: shape.value_at(segments_of(path)) for name, path in self._paths()}
        )
        return {name: value for name, value in found.items() if value not in (None, ANYTHING)}

    def _paths(self) -> Iterator[tuple[str, str]]:
        yield from ((name, value) for name, value in self.pipeline_parameters if is_path(value))

    @property
    def parsed(self) -> Expression | None:
        """The schedule expression as a value, ``Rate`` or ``Cron``; nothing for a rule on events."""
        text = self.schedule_expression
        return None if text is None else parse_expression(text, Dialect.RULE)

    def describe(self) -> str:
        """What starts it, in plain words: ``on Object Created from aws.s3``."""
        if self.parsed is not None:
            return describe_expression(self.parsed, "UTC")
        assert self.event_pattern is not None
        kinds, sources = (
            " or ".join(str(value) for value in self.event_pattern.get(name, []) if isinstance(value, str))
            for name in ("detail-type", "source")
        )
        text = f"on {kinds or 'events'}{f' from {sources}' if sources else ''}"
        return text if len(text) <= checks.MAXIMUM_DESCRIPTION else "on events of several kinds"

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_bus(self) -> None:
        bus = self.event_bus_name
        if bus is None:
            return
        checks.check_type("event_bus_name", bus, str, "a string")
        if not holds_token(bus) and not _BUS_NAME.fullmatch(bus):
            raise ValueError(f"event_bus_name must be 1 to 256 of A-Z a-z 0-9 / . - _ or an ARN, got {bus!r}")
        if self.schedule_expression is not None and bus != _DEFAULT_BUS:
            raise ValueError(
                f"event_bus_name must be left out of a rule on a schedule, got {bus!r}: EventBridge runs "
                f"{self.schedule_expression} on the default bus only"
            )

    def _check_parameters(self) -> None:
        for name, value in self.pipeline_parameters:
            where = f"parameters[{name!r}]"
            if holds_token(value):
                continue
            if is_path(value):
                check_path(where, value, self.event_pattern)
            else:
                check_static(where, value)
