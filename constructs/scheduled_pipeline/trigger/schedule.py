"""``PipelineSchedule``: when EventBridge Scheduler starts a pipeline, and with what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, Literal, Protocol, TypedDict, TypeGuard, Unpack
from zoneinfo import ZoneInfo

from scheduled_pipeline.start_values import StartValue
from scheduled_pipeline.tokens import holds_token
from scheduled_pipeline.trigger import checks, context_attributes
from scheduled_pipeline.trigger.checks import ParameterValue
from scheduled_pipeline.trigger.description import describe_expression
from scheduled_pipeline.trigger.expression import At, Expression, Rate, parse_expression
from scheduled_pipeline.trigger.occurrences import ClockChange, clock_changes, occurrences
from scheduled_pipeline.trigger.time_zone import in_zone, time_zone, utc_text

_DISPLAY_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,81}")
_parsed = lru_cache(maxsize=4096)(parse_expression)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(days=2)


class ScheduleOptions(TypedDict, total=False):
    """What every factory of ``PipelineSchedule`` takes besides its expression: see that class."""

    start: datetime | None
    end: datetime | None
    flexible_time_window: timedelta | None
    enabled: bool
    description: str | None
    parameters: Mapping[str, ParameterValue]
    maximum_retry_attempts: int | None
    maximum_event_age: timedelta | None
    name: str | None
    expected_duration: timedelta | None
    idempotent: bool
    display_name: str | None
    pipeline_version_id: int | None


@dataclass(frozen=True, kw_only=True)
class PipelineSchedule:
    """A schedule of one pipeline. Make one with ``cron``, ``rate``, ``at`` or ``from_sdk``.

    Everything is checked on construction. Follows
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html and the ``CreateSchedule``
    reference.

    Attributes:
        expression: ``cron(...)``, ``rate(...)`` or ``at(...)``, normalised.
        timezone: IANA name of the zone whose wall clock the expression is read on. Default: UTC.
        start: first moment at which it may run; naive means the wall clock of ``timezone``. Default: from its
            creation.
        end: last moment at which it may run, read as ``start`` is. Default: no end.
        flexible_time_window: 1 to 1440 whole minutes within which a run may begin. Default: off.
        enabled: whether it runs at all. Default: it does.
        description: at most 512 characters. Default: see ``describe``.
        parameters: pipeline parameters by name, at most 200. A value is a string of 1 to 1,024 characters,
            a number or a boolean; ``PipelineSchedule.SCHEDULED_TIME`` and its kin are filled in by the
            scheduler at each run.
        maximum_retry_attempts: 0 to 185 retries of the start call. Default: 185, the service's.
        maximum_event_age: 60 to 86,400 s for which the start call is retried. Default: 24 hours, the
            service's.
        name: physical name, 1 to 64 of ``0-9a-zA-Z-_.``; when the schedule moves to another group it must
            get a new one. Default: made from the pipeline's name and the schedule's key.
        expected_duration: how long a run takes, for the overlap lint only; never sent to AWS. Default:
            unknown.
        idempotent: start each scheduled run at most once, although the scheduler delivers at least once.
            Default: off.
        display_name: of the executions, 1 to 82 of ``a-zA-Z0-9-``; only with ``idempotent``. Default:
            SageMaker's own.
        pipeline_version_id: version that is started; only with ``idempotent``. Default: the latest.
    """

    SCHEDULED_TIME: ClassVar[str] = context_attributes.SCHEDULED_TIME
    """Filled in with the time for which the run was planned, such as ``2027-01-04T09:00:00Z``."""
    SCHEDULE_ARN: ClassVar[str] = context_attributes.SCHEDULE_ARN
    """Filled in with the ARN of the schedule."""
    EXECUTION_ID: ClassVar[str] = context_attributes.EXECUTION_ID
    """Filled in with the identifier that the scheduler gives to each attempt."""
    ATTEMPT_NUMBER: ClassVar[str] = context_attributes.ATTEMPT_NUMBER
    """Filled in with the number of the attempt, from 1."""

    expression: str
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    flexible_time_window: timedelta | None = None
    enabled: bool = True
    description: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict, hash=False)
    maximum_retry_attempts: int | None = None
    maximum_event_age: timedelta | None = None
    name: str | None = None
    expected_duration: timedelta | None = None
    idempotent: bool = False
    display_name: str | None = None
    pipeline_version_id: int | None = None

    def __post_init__(self) -> None:
        zone = time_zone(self.timezone)
        parsed = parse_expression(self.expression)
        self._set("expression", str(parsed))
        if isinstance(parsed, At):
            in_zone("at", parsed.moment, zone)
        for name in ("start", "end"):
            if getattr(self, name) is not None:
                self._set(name, in_zone(name, getattr(self, name), zone))
        self._check_period(parsed)
        self._check_runs(parsed, zone)
        checks.check_minutes("flexible_time_window", self.flexible_time_window, checks.MAXIMUM_WINDOW_MINUTES)
        checks.check_duration("expected_duration", self.expected_duration)
        checks.check_flag("enabled", self.enabled)
        checks.check_description("description", self.description)
        checks.check_retry(self.maximum_retry_attempts, self.maximum_event_age)
        checks.check_name("name", self.name)
        self._check_parameters()
        self._set("parameters", dict(self.parameters))
        self._check_idempotent()

    @classmethod
    def cron(
        cls, expression: str, *, timezone: str = "UTC", **options: Unpack[ScheduleOptions]
    ) -> PipelineSchedule:
        """Run when the calendar says so.

        Args:
            expression: ``minutes hours day-of-month month day-of-week [year]``, without the word cron:
                ``0 3 * * ? *`` is every day at 03:00.
            timezone: IANA name of the zone whose wall clock it is.
            options: see the attributes of the class.

        Raises:
            ValueError: for what AWS refuses and for an expression that can never fire.
            TypeError: for a value of another type.
        """
        checks.check_type("cron", expression, str, "a string")
        return cls(expression=f"cron({expression})", timezone=timezone, **options)

    @classmethod
    def rate(
        cls,
        interval: timedelta | tuple[int, str],
        *,
        timezone: str = "UTC",
        **options: Unpack[ScheduleOptions],
    ) -> PipelineSchedule:
        """Run at a regular interval, counted from ``start`` or else from the creation of the schedule.

        A day is 24 hours on the clock, also when daylight saving time changes.

        Args:
            interval: whole minutes, ``timedelta(hours=1)``, or a number and a unit of time, ``(5,
                "minutes")``.
            timezone: IANA name of the zone in which a naive ``start`` or ``end`` is read.
            options: see the attributes of the class.

        Raises:
            ValueError: for an interval that is not a positive number of whole minutes.
            TypeError: for a value of another type.
        """
        return cls(expression=str(Rate.of(interval)), timezone=timezone, **options)

    @classmethod
    def at(
        cls, moment: datetime, *, timezone: str | None = None, **options: Unpack[ScheduleOptions]
    ) -> PipelineSchedule:
        """Run once.

        Args:
            moment: a naive one is the wall clock of the zone, UTC when none is given; an aware one is
                converted to it.
            timezone: IANA name of the zone in which the schedule is written. Default: UTC.
            options: see the attributes of the class; ``start`` and ``end`` have no meaning here and are
                refused.

        Raises:
            ValueError: for a wall clock that the zone skips, or a fraction of a second.
            TypeError: for a value of another type.
        """
        zone = time_zone("UTC" if timezone is None else timezone)
        local = in_zone("at", moment, zone)
        if local.replace(fold=0).utcoffset() != local.utcoffset():
            raise ValueError(
                f"at {local.isoformat()} is the second {local:%H:%M} of that day in {zone.key} and would run "
                f"at the first: write it in UTC, {utc_text(local)}"
            )
        wall = local.replace(tzinfo=None, fold=0)
        return cls(expression=str(At(moment=wall)), timezone=zone.key, **options)

    @classmethod
    def from_sdk(cls, schedule: object) -> PipelineSchedule:
        """The same schedule as the SageMaker SDK's own ``PipelineSchedule``, read without importing the SDK.

        As in the SDK, a naive datetime means UTC, an aware one is converted to UTC, and fractions of a
        second are dropped. Its start date is left out of a one-time schedule, where the scheduler ignores
        it.

        Raises:
            TypeError: when it is not the SDK's object, or has none or several of ``at``, ``rate`` and
                ``cron``.
            ValueError: for an expression or a name that AWS refuses, which the SDK itself lets through.
        """
        if not _is_sdk_schedule(schedule):
            raise TypeError(
                f"schedule must be the SageMaker SDK's PipelineSchedule, got {type(schedule).__name__}"
            )
        given = {"at": schedule.at, "rate": schedule.rate, "cron": schedule.cron}
        named = [kind for kind, value in given.items() if value]
        if len(named) != 1:
            raise TypeError(
                f"schedule must have one of at, rate and cron, got {', '.join(named) or 'none of them'}"
            )
        options: ScheduleOptions = {"name": schedule.name, "enabled": bool(schedule.enabled)}
        if schedule.at:
            return cls.at(_whole_seconds("at", schedule.at), **options)
        if schedule.start_date is not None:
            options["start"] = _whole_seconds("start_date", schedule.start_date)
        return cls.rate(schedule.rate, **options) if schedule.rate else cls.cron(schedule.cron, **options)

    @property
    def state(self) -> Literal["ENABLED", "DISABLED"]:
        """The state as AWS writes it."""
        return "ENABLED" if self.enabled else "DISABLED"

    @property
    def start_date(self) -> str | None:
        """The start as ``AWS::Scheduler::Schedule`` takes it, in UTC: ``2027-01-04T14:00:00Z``."""
        return None if self.start is None else utc_text(self.start)

    @property
    def end_date(self) -> str | None:
        """The end as ``AWS::Scheduler::Schedule`` takes it, in UTC."""
        return None if self.end is None else utc_text(self.end)

    @property
    def pipeline_parameters(self) -> tuple[tuple[str, str], ...]:
        """Pairs of name and string value, in the order given."""
        return checks.parameter_strings(self.parameters, checks.SCHEDULER_PARAMETERS)

    @property
    def start_values(self) -> dict[str, StartValue]:
        """What the parameters with context attributes will be, by name."""
        found = {name: context_attributes.start_value(value) for name, value in self.pipeline_parameters}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def parsed(self) -> Expression:
        """The expression as a value: ``At``, ``Rate`` or ``Cron``."""
        return _parsed(self.expression)

    def dates(self) -> tuple[tuple[str, datetime], ...]:
        """The fixed moments that it names, aware, each with its field: ``at``, ``start``, ``end``.

        None is refused for lying in the past: whether it does depends on when the question is asked.
        """
        parsed = self.parsed
        at = in_zone("at", parsed.moment, time_zone(self.timezone)) if isinstance(parsed, At) else None
        named = (("at", at), ("start", self.start), ("end", self.end))
        return tuple((name, moment) for name, moment in named if moment is not None)

    def next_runs(self, count: int, *, after: datetime) -> tuple[datetime, ...]:
        """The next runs, aware, in the zone of the schedule; fewer than ``count`` when it ends before.

        Args:
            count: how many at most.
            after: runs are later than this; naive means the wall clock of the zone. A rate without ``start``
                counts from here, as if the schedule were created at this moment.
        """
        checks.check_whole_number("count", count, 0, None)
        runs = occurrences(self.parsed, self.timezone, after=after, start=self.start, end=self.end)
        return tuple(islice(runs, count))

    def clock_changes(self, *, after: datetime, until: datetime) -> tuple[ClockChange, ...]:
        """The wall clock times of this schedule that daylight saving time skips or repeats, in order."""
        return clock_changes(self.parsed, self.timezone, after=after, until=until)

    def describe(self) -> str:
        """When it runs, in plain words: ``every day at 03:00 Asia/Tokyo``."""
        return describe_expression(self.parsed, self.timezone)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_period(self, parsed: Expression) -> None:
        if isinstance(parsed, At):
            for name in ("start", "end"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"{name} has no effect on a one-time schedule: leave it out of {self.expression}"
                    )
        if (
            self.start is not None
            and self.end is not None
            and self.start.astimezone(UTC) >= self.end.astimezone(UTC)
        ):
            raise ValueError(f"end must be after start {self.start.isoformat()}, got {self.end.isoformat()}")

    def _check_runs(self, parsed: Expression, zone: ZoneInfo) -> None:
        runs = occurrences(parsed, zone.key, after=_EPOCH, start=self.start, end=self.end)
        if next(runs, None) is not None:
            return
        if self.start is None and self.end is None:
            why = f"its wall clock does not exist in {zone.key}"
        else:
            why = f"there is no run from {self.start_date or 'its creation'} to {self.end_date or 'its end'}"
        raise ValueError(f"expression must run at least once, got {self.expression}: {why}")

    def _check_parameters(self) -> None:
        for name, value in checks.parameter_strings(self.parameters, checks.SCHEDULER_PARAMETERS):
            field = f"parameters[{name!r}]"
            context_attributes.check_attributes(field, value)
            if value.startswith("$."):
                raise ValueError(
                    f"{field} must not be a path, a schedule has no event to read, got {value!r}"
                )

    def _check_idempotent(self) -> None:
        checks.check_flag("idempotent", self.idempotent)
        for name in ("display_name", "pipeline_version_id"):
            if getattr(self, name) is not None and not self.idempotent:
                value = getattr(self, name)
                raise ValueError(f"{name} is part of the request only with idempotent=True, got {value!r}")
        checks.check_whole_number("pipeline_version_id", self.pipeline_version_id, 1, None)
        if self.display_name is None:
            return
        checks.check_type("display_name", self.display_name, str, "a string")
        # The two context attributes that are filled in with letters and digits only, at their longest.
        bare = self.display_name.replace(self.EXECUTION_ID, 16 * "x").replace(self.ATTEMPT_NUMBER, "186")
        if not holds_token(bare) and not _DISPLAY_NAME.fullmatch(bare):
            raise ValueError(
                "display_name must be 1 to 82 of a-z A-Z 0-9 and -, with neither end a -, "
                f"got {self.display_name!r}"
            )


class SdkSchedule(Protocol):
    """What the SageMaker SDK's own ``PipelineSchedule`` looks like."""

    name: str | None
    enabled: bool | None
    start_date: datetime | None
    at: datetime | None
    rate: tuple[Any, ...] | None
    cron: str | None

    def resolve_schedule_expression(self) -> str:
        """The expression as the SDK writes it."""
        ...


def as_pipeline_schedule(value: object) -> PipelineSchedule:
    """A ``PipelineSchedule`` as it is, or the SageMaker SDK's object converted.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, PipelineSchedule):
        return value
    if _is_sdk_schedule(value):
        return PipelineSchedule.from_sdk(value)
    raise TypeError(
        "schedule must be a PipelineSchedule, this package's or the SageMaker SDK's, "
        f"got {value!r} ({type(value).__name__})"
    )


class _SdkSchedule(Protocol):
    """What ``sagemaker.mlops.workflow.triggers.PipelineSchedule`` has."""

    name: Any
    enabled: Any
    start_date: Any
    at: Any
    rate: Any
    cron: Any

    def resolve_schedule_expression(self) -> str:
        """The expression as the SDK would send it, which is not relied on: it is not checked."""


def _is_sdk_schedule(value: object) -> TypeGuard[_SdkSchedule]:
    wanted = ("name", "enabled", "start_date", "at", "rate", "cron", "resolve_schedule_expression")
    return not isinstance(value, type) and all(hasattr(value, name) for name in wanted)


def _whole_seconds(name: str, moment: datetime) -> datetime:
    checks.check_type(name, moment, datetime, "a datetime")
    return moment.replace(microsecond=0)
