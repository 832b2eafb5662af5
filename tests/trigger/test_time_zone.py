import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduled_pipeline.trigger.time_zone import exists, in_zone, time_zone, transitions, utc_text

NEW_YORK = ZoneInfo("America/New_York")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "name", ["UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "Etc/GMT-14", "Japan"]
)
def test_a_name_of_the_database_is_a_zone(name: str) -> None:
    assert time_zone(name).key == name


@pytest.mark.parametrize(
    "name",
    ["JST", "utc", "Asia/Tokio", "asia/tokyo", "Tokyo", "+09:00", "../UTC", "Factory", "x" * 51, " UTC"],
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="timezone must be an IANA name such as Asia/Tokyo or UTC, got"):
        time_zone(name)


def test_a_near_miss_gets_a_hint() -> None:
    with pytest.raises(ValueError, match=r"did you mean Europe/Zurich\?"):
        time_zone("Europe/Zürich")


def test_a_wall_clock_exists_or_does_not() -> None:
    assert exists(wall("2027-03-14T01:59"), NEW_YORK)
    assert not exists(wall("2027-03-14T02:00"), NEW_YORK)
    assert exists(wall("2027-03-14T03:00"), NEW_YORK)


def test_the_changes_of_a_year_are_found_to_the_second() -> None:
    begin = datetime(2027, 1, 1, tzinfo=UTC)
    spring, autumn = transitions(NEW_YORK, after=begin, until=begin + timedelta(days=365))
    assert spring.moment == datetime(2027, 3, 14, 7, tzinfo=UTC)
    assert spring.forward
    assert spring.walls == (wall("2027-03-14T02:00"), wall("2027-03-14T03:00"))
    assert autumn.moment == datetime(2027, 11, 7, 6, tzinfo=UTC)
    assert not autumn.forward
    assert autumn.walls == (wall("2027-11-07T01:00"), wall("2027-11-07T02:00"))


@pytest.mark.parametrize(("seconds", "found"), [(-1, 1), (0, 0)])
def test_a_change_at_the_lower_bound_is_past(seconds: int, found: int) -> None:
    moment = datetime(2027, 3, 14, 7, tzinfo=UTC)
    after = moment + timedelta(seconds=seconds)
    assert len([*transitions(NEW_YORK, after=after, until=moment + timedelta(hours=1))]) == found


def test_a_change_at_the_upper_bound_is_included() -> None:
    moment = datetime(2027, 3, 14, 7, tzinfo=UTC)
    assert [
        change.moment for change in transitions(NEW_YORK, after=moment - timedelta(hours=3), until=moment)
    ] == [moment]


def test_a_zone_without_changes_has_none() -> None:
    begin = datetime(2027, 1, 1, tzinfo=UTC)
    assert not [*transitions(ZoneInfo("Asia/Tokyo"), after=begin, until=begin + timedelta(days=3650))]


def test_a_naive_moment_is_the_wall_clock_and_an_aware_one_is_converted() -> None:
    assert in_zone("start", wall("2027-01-04T09:00"), NEW_YORK) == datetime(2027, 1, 4, 14, tzinfo=UTC)
    converted = in_zone("start", datetime(2027, 1, 4, 14, tzinfo=UTC), NEW_YORK)
    assert (converted.hour, converted.tzinfo) == (9, NEW_YORK)


def test_aws_takes_moments_in_utc() -> None:
    assert utc_text(wall("2027-01-04T09:00").replace(tzinfo=NEW_YORK)) == "2027-01-04T14:00:00Z"


@pytest.mark.process
def test_zones_are_those_of_the_package_whatever_the_machine_has(tmp_path: Path) -> None:
    """On a machine whose database says that Tokyo is in London, the templates are the same."""
    london = files("tzdata").joinpath("zoneinfo", "Europe", "London").read_bytes()
    (tmp_path / "Asia").mkdir()
    (tmp_path / "Asia" / "Tokyo").write_bytes(london)
    code = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from scheduled_pipeline import PipelineSchedule
tokyo = ZoneInfo("Asia/Tokyo")
nine = datetime(2027, 1, 4, 9, tzinfo=tokyo)
print(datetime(2027, 1, 4, 9, tzinfo=tokyo).utcoffset())
after = datetime(2026, 12, 31, 23, tzinfo=UTC)
print(*PipelineSchedule.cron("0 9 * * ? *", timezone="Asia/Tokyo").next_runs(1, after=after))
print(PipelineSchedule.at(nine, timezone="UTC").expression)
"""
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["0:00:00", "2027-01-01 09:00:00+09:00", "at(2027-01-04T00:00:00)"]
