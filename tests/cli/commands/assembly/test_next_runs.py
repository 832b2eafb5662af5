import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.cli.assembly.forecast_output import COLUMNS

Make = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, str]]]
Run = Callable[..., Any]
Write = Callable[..., Path]

SKIPPED = "2027-03-14 02:30 America/New_York does not exist: skipped"
SCHEDULE_AS_JSON: dict[str, Any] = {
    "stack": "Stack",
    "kind": "schedule",
    "name": "Nightly",
    "group": "group",
    "logicalId": "A",
    "pipelines": ["training"],
    "state": "ENABLED",
    "expression": "cron(30 2 * * ? *)",
    "description": "every day at 02:30 America/New_York",
    "timezone": "America/New_York",
    "start": "2027-03-01T00:00:00Z",
    "end": None,
    "windowMinutes": 15,
    "approximate": False,
    "runs": [
        {"utc": "2027-03-13T07:30:00Z", "local": "2027-03-13T02:30:00-05:00", "note": None},
        {"utc": "2027-03-15T06:30:00Z", "local": "2027-03-15T02:30:00-04:00", "note": SKIPPED},
    ],
    "clockChanges": [
        {
            "effect": "skipped",
            "first": "2027-03-14T02:30:00",
            "last": "2027-03-14T02:30:00",
            "runs": 1,
            "text": SKIPPED,
        }
    ],
    "notes": ["a run may begin up to 15 minutes later"],
    "problem": None,
}


def test_a_pipe_gets_a_line_of_columns_for_each_run(
    write_assembly: Write, schedule: Make, next_runs: Run
) -> None:
    resource = schedule(ScheduleExpressionTimezone="America/New_York", EndDate="2030-01-01T00:00:00Z")
    done = next_runs(write_assembly({"A": resource}, stack="Dev"), "--count", "2")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "\t".join(COLUMNS),
        *(
            f"2027-01-0{day}T08:00:00Z\t2027-01-0{day}T03:00:00-05:00\tAmerica/New_York\tENABLED\tDev\tschedule\t"
            "Nightly\ttraining\tcron(0 3 * * ? *)\t-\t2030-01-01T00:00:00Z\t-"
            for day in (1, 2)
        ),
    ]


def test_a_pipe_gets_neither_colours_nor_boxes_nor_anything_but_ascii(
    write_assembly: Write, schedule: Make, next_runs: Run
) -> None:
    done = next_runs(write_assembly({"A": schedule("rate(5 minutes)"), "B": schedule(State="DISABLED")}))
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout


def test_ten_runs_are_printed_unless_told_otherwise(
    write_assembly: Write, schedule: Make, rows: Rows
) -> None:
    assert len(rows(write_assembly({"A": schedule()}))) == 10


def test_a_thousand_runs_can_be_asked_for(write_assembly: Write, schedule: Make, rows: Rows) -> None:
    assert len(rows(write_assembly({"A": schedule()}), "--count", "1000")) == 1000


def test_a_schedule_without_runs_has_one_line_that_says_why(
    write_assembly: Write, schedule: Make, rows: Rows
) -> None:
    folder = write_assembly(
        {
            "Off": schedule(Name="Off", State="DISABLED"),
            "Past": schedule("at(2020-01-01T00:00:00)", Name="Past"),
        }
    )
    found = {row["NAME"]: (row["UTC"], row["LOCAL"], row["STATE"], row["NOTE"]) for row in rows(folder)}
    assert found == {
        "Off": ("-", "-", "DISABLED", "disabled: it does not run"),
        "Past": ("-", "-", "ENABLED", "never again"),
    }


def test_the_note_of_a_clock_change_is_on_the_line_of_its_run(
    write_assembly: Write, schedule: Make, rows: Rows
) -> None:
    folder = write_assembly({"A": schedule("cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")})
    notes = [row["NOTE"] for row in rows(folder, "--count", "3", after="2027-03-26T12:00:00Z")]
    assert notes == ["-", "2027-03-28 02:30 Europe/Berlin does not exist: skipped", "-"]


def test_a_tab_or_a_line_break_in_a_value_does_not_break_the_columns(
    write_assembly: Write, schedule: Make, rows: Rows
) -> None:
    assert rows(write_assembly({"A": schedule(Name="a\tb\nc")}), "--count", "1")[0]["NAME"] == "a b c"


def test_what_aws_would_refuse_is_named_and_the_others_are_printed(
    write_assembly: Write, schedule: Make, rule: Make, next_runs: Run
) -> None:
    folder = write_assembly(
        {
            "A": schedule("cron(0 3 * * * *)", Name="Bad"),
            "B": schedule(Name="Good"),
            "C": rule("rate(1 hours)"),
        }
    )
    done = next_runs(folder, "--count", "1")
    assert done.exit_code == 1
    bad, rule_bad = done.stderr.splitlines()
    assert bad.startswith("Error: Stack: schedule Bad: cron ")
    assert rule_bad.startswith("Error: Stack: rule C: rate must be singular for 1")
    _, *lines = done.stdout.splitlines()
    assert [line.split("\t")[6] for line in lines] == ["Bad", "Good", "C"]
    assert lines[0].split("\t")[-1].startswith("refused: cron ")
    assert lines[1].startswith("2027-01-01T03:00:00Z")


def test_json_has_the_shape_that_the_help_describes(
    write_assembly: Write, schedule: Make, document: Run
) -> None:
    resource = schedule(
        "cron(30 2 * * ? *)",
        GroupName="group",
        ScheduleExpressionTimezone="America/New_York",
        StartDate="2027-03-01T00:00:00Z",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
    )
    folder = write_assembly({"A": resource})
    assert document(folder, "--count", "2", after="2027-03-13T00:00:00Z") == {
        "assembly": str(folder),
        "after": "2027-03-13T00:00:00Z",
        "count": 2,
        "schedules": [SCHEDULE_AS_JSON],
    }


def test_every_key_of_the_json_is_in_the_help(
    write_assembly: Write, schedule: Make, document: Run, next_runs: Run
) -> None:
    resource = schedule("cron(30 2 * * ? *)", ScheduleExpressionTimezone="America/New_York")
    shape = document(write_assembly({"A": resource}), after="2027-03-13T00:00:00Z")
    (one,) = shape["schedules"]
    words = set(re.findall(r"\w+", next_runs(Path("cdk.out"), "--help").stdout))
    assert {*shape, *one, *one["runs"][0], *one["clockChanges"][0]} <= words


def test_json_tells_what_aws_would_refuse_and_ends_with_its_exit_code(
    write_assembly: Write, schedule: Make, next_runs: Run
) -> None:
    done = next_runs(write_assembly({"A": schedule("cron(nonsense)")}), "--json")
    (one,) = json.loads(done.stdout)["schedules"]
    assert (done.exit_code, one["runs"]) == (1, [])
    assert one["problem"] in done.stderr


def test_json_of_a_rate_says_that_it_is_approximate(write_assembly: Write, rule: Make, document: Run) -> None:
    (one,) = document(write_assembly({"A": rule("rate(5 minutes)")}))["schedules"]
    assert (one["approximate"], one["kind"]) == (True, "rule")
    assert one["notes"][0].startswith("approximate: counted from its deployment")


def test_an_app_without_schedules_says_so_and_is_no_error(write_assembly: Write, next_runs: Run) -> None:
    done = next_runs(write_assembly({"Bucket": {"Type": "AWS::S3::Bucket"}}))
    assert (done.exit_code, done.stdout.splitlines()) == (0, ["\t".join(COLUMNS)])
    assert re.fullmatch(r"No schedule and no rule in .* starts a SageMaker pipeline\.\n", done.stderr)


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        ("2027-01-01T09:00:00+09:00", "2027-01-01T00:00:00Z"),
        ("2027-01-01T09:00", "2027-01-01T09:00:00Z"),
        ("2027-01-01T09:00:00.750Z", "2027-01-01T09:00:00Z"),
        ("2199-12-31", "2199-12-31T00:00:00Z"),
    ],
)
def test_after_is_iso_8601_and_utc_without_an_offset(
    write_assembly: Write, schedule: Make, document: Run, after: str, shown: str
) -> None:
    assert document(write_assembly({"A": schedule()}), after=after)["after"] == shown


@pytest.mark.parametrize(
    "after", ["tomorrow", "", "2027-02-30", "0001-01-01T00:00:00+14:00", "2200-01-01", "1969"]
)
def test_an_after_that_is_no_moment_is_one_sentence_and_exit_code_2(
    write_assembly: Write, schedule: Make, next_runs: Run, after: str
) -> None:
    done = next_runs(write_assembly({"A": schedule()}), after=after)
    _is_one_sentence(done, 2, rf"Invalid value for '--after': must be .*, got '{re.escape(after)}'")


@pytest.mark.parametrize("count", ["0", "-1", "1001", "many", "1.5"])
def test_a_count_out_of_range_is_one_sentence_and_exit_code_2(
    write_assembly: Write, schedule: Make, next_runs: Run, count: str
) -> None:
    done = next_runs(write_assembly({"A": schedule()}), "--count", count)
    _is_one_sentence(done, 2, "Invalid value for '--count': .*")


def test_a_missing_assembly_is_one_sentence_and_exit_code_3(tmp_path: Path, next_runs: Run) -> None:
    _is_one_sentence(next_runs(tmp_path / "no"), 3, ".*/no does not exist: run cdk synth first, .*")


def test_a_broken_template_is_one_sentence_and_exit_code_3(
    write_assembly: Write, schedule: Make, next_runs: Run
) -> None:
    folder = write_assembly({"A": schedule()})
    (folder / "Stack.template.json").write_text("{\n")
    _is_one_sentence(next_runs(folder), 3, r".*Stack\.template\.json is not valid JSON: .*")


def test_now_is_read_from_the_clock(
    write_assembly: Write, schedule: Make, run_command: Callable[..., Any]
) -> None:
    done = run_command("next", "--assembly", str(write_assembly({"A": schedule()})), "--json")
    after = datetime.fromisoformat(json.loads(done.stdout)["after"])
    assert abs(datetime.now(UTC) - after) < timedelta(minutes=1)


def _is_one_sentence(done: Any, exit_code: int, pattern: str) -> None:
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert re.fullmatch(f"Error: {pattern}\n", done.stderr)
