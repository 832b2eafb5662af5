from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduled_pipeline.trigger.schedule import PipelineSchedule, as_pipeline_schedule

NEW_YORK = "America/New_York"


def wall(text: str) -> datetime:
    """A naive wall clock."""
    return datetime.fromisoformat(text)


@dataclass
class SdkSchedule:
    """The attributes of the SageMaker SDK's own class, which is not imported here."""

    start_date: datetime | None = None
    at: datetime | None = None
    rate: tuple[int, str] | None = None
    cron: str | None = None
    name: str | None = None
    enabled: bool | None = True

    def resolve_schedule_expression(self) -> str:
        raise AssertionError


def test_a_naive_at_means_utc() -> None:
    schedule = PipelineSchedule.from_sdk(SdkSchedule(at=wall("2027-01-04T09:00:00.9")))
    assert (schedule.expression, schedule.timezone) == ("at(2027-01-04T09:00:00)", "UTC")


def test_an_aware_at_is_converted_to_utc() -> None:
    moment = datetime(2027, 1, 4, 9, tzinfo=ZoneInfo(NEW_YORK))
    assert PipelineSchedule.from_sdk(SdkSchedule(at=moment)).expression == "at(2027-01-04T14:00:00)"


def test_a_rate_may_have_the_plural_for_one() -> None:
    assert PipelineSchedule.from_sdk(SdkSchedule(rate=(1, "hours"))).expression == "rate(1 hour)"


def test_name_state_and_start_are_kept() -> None:
    sdk = SdkSchedule(cron="0 3 * * ? *", name="Nightly", enabled=False, start_date=wall("2027-01-04"))
    schedule = PipelineSchedule.from_sdk(sdk)
    assert (schedule.name, schedule.state) == ("Nightly", "DISABLED")
    assert schedule.start_date == "2027-01-04T00:00:00Z"


def test_a_state_that_is_not_given_is_disabled_as_in_the_sdk() -> None:
    assert PipelineSchedule.from_sdk(SdkSchedule(rate=(1, "hour"), enabled=None)).state == "DISABLED"


def test_the_start_of_a_one_time_schedule_is_dropped() -> None:
    sdk = SdkSchedule(at=wall("2027-01-04"), start_date=wall("2026-01-01"))
    assert PipelineSchedule.from_sdk(sdk).start is None


@pytest.mark.parametrize(
    ("sdk", "got"),
    [
        (SdkSchedule(), "none of them"),
        (SdkSchedule(rate=(1, "hour"), cron="0 3 * * ? *"), "rate, cron"),
    ],
)
def test_it_has_exactly_one_expression(sdk: SdkSchedule, got: str) -> None:
    with pytest.raises(TypeError, match=f"schedule must have one of at, rate and cron, got {got}"):
        PipelineSchedule.from_sdk(sdk)


@pytest.mark.parametrize("sdk", [SdkSchedule(cron="nonsense"), SdkSchedule(rate=(0, "fortnights"))])
def test_what_the_sdk_lets_through_is_refused(sdk: SdkSchedule) -> None:
    with pytest.raises(ValueError, match="must"):
        PipelineSchedule.from_sdk(sdk)


def test_both_kinds_are_accepted_and_nothing_else() -> None:
    ours = PipelineSchedule.rate(timedelta(hours=1))
    assert as_pipeline_schedule(ours) is ours
    assert as_pipeline_schedule(SdkSchedule(rate=(1, "hour"))) == ours
    for value in ("rate(1 hour)", None, SdkSchedule, PipelineSchedule, 5):
        with pytest.raises(TypeError, match="schedule must be a PipelineSchedule"):
            as_pipeline_schedule(value)
    with pytest.raises(TypeError, match="schedule must be the SageMaker SDK's PipelineSchedule, got str"):
        PipelineSchedule.from_sdk("rate(1 hour)")
