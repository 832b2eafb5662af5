from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline_defs.daily_processing.code import process

RunScript = Callable[..., subprocess.CompletedProcess[str]]

HEADER = "order_id,store,amount\n"
DAY = datetime.date(2026, 11, 20)


def put(directory: Path, name: str, rows: str, header: str = HEADER) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + rows)


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    directory = tmp_path / "incoming"
    put(directory, "orders-2026-11-20-east.csv", "1,Kyoto,10.50\n2,Nara,4\n3,Kyoto,0.25\n")
    put(directory, "2026/11/20/west.csv", "4,Osaka,7\n")
    put(directory, "orders-2026-11-19.csv", "0,Kyoto,999\n")
    return directory


def test_the_script_summarises_the_day_before_the_scheduled_time(
    incoming: Path, tmp_path: Path, run_script: RunScript
) -> None:
    result = run_script(
        "daily_processing/code/process.py",
        *("--run-date", "2026-11-21T03:00:00Z", "--lookback-days", "1", "--time-zone", "UTC"),
        *("--input-dir", incoming, "--output-dir", tmp_path / "summary"),
    )

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "summary" / "summary.csv").read_text().splitlines() == [
        "store,orders,amount,mean_amount",
        "Kyoto,2,10.75,5.38",
        "Nara,1,4.00,4.00",
        "Osaka,1,7.00,7.00",
    ]
    assert json.loads((tmp_path / "summary" / "manifest.json").read_text()) == {
        "day": "2026-11-20",
        "files": ["2026/11/20/west.csv", "orders-2026-11-20-east.csv"],
        "rows": {"read": 4, "invalid": 0, "duplicate": 0, "kept": 4},
        "output": "summary.csv",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run-date", "2026-11-30"], "no CSV file for 2026-11-29"),
        (["--run-date", "tomorrow-ish"], "run date must be like 2026-11-21 or 2026-11-21T03:00:00Z"),
        (["--run-date", "<aws.scheduler.scheduled-time>"], "got '<aws.scheduler.scheduled-time>'"),
    ],
)
def test_the_script_ends_with_one_line_when_it_cannot_work(
    arguments: Any, message: str, incoming: Path, tmp_path: Path, run_script: RunScript
) -> None:
    result = run_script(
        "daily_processing/code/process.py",
        *arguments,
        *("--input-dir", incoming, "--output-dir", tmp_path / "summary"),
    )
    assert result.returncode == 1
    assert result.stderr.startswith("process: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "summary").exists()


def test_the_run_date_must_be_given(run_script: RunScript) -> None:
    result = run_script("daily_processing/code/process.py")
    assert result.returncode == 2
    assert "--run-date" in result.stderr


@pytest.mark.parametrize(
    ("run_date", "zone", "lookback", "expected"),
    [
        ("2026-11-21", "UTC", 0, "2026-11-21"),
        ("2026-11-21", "UTC", 1, "2026-11-20"),
        ("2026-11-21T03:00:00Z", "UTC", 0, "2026-11-21"),
        # 03:00 in Tokyo is 18:00 of the day before in UTC, which is how the scheduler writes it.
        ("2026-11-20T18:00:00Z", "Asia/Tokyo", 0, "2026-11-21"),
        ("2026-11-21T03:00:00Z", "America/New_York", 0, "2026-11-20"),
        ("2026-11-21T03:00:00", "America/New_York", 0, "2026-11-21"),
        ("2026-03-01T00:30:00+09:00", "UTC", 1, "2026-02-27"),
        # Midnight of this day does not exist in Santiago: the clocks go forward.
        ("2026-09-06", "America/Santiago", 0, "2026-09-06"),
        # A day of 23 hours in between does not make a difference of a day.
        ("2026-03-09T00:30:00", "America/New_York", 1, "2026-03-08"),
        ("2026-01-01", "UTC", 1, "2025-12-31"),
    ],
)
def test_the_day_is_that_of_the_time_zone(run_date: str, zone: str, lookback: Any, expected: Any) -> None:
    assert process.day_of(run_date, zone, lookback).isoformat() == expected


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Nowhere", "../../etc/passwd"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    for run_date in ("2026-11-21", "2026-11-21T03:00:00Z"):
        with pytest.raises(ValueError, match="time zone must be an IANA name such as Asia/Tokyo, got"):
            process.day_of(run_date, zone, 1)


@pytest.mark.parametrize("run_date", ["", "NaT", "2026-13-01", "soon"])
def test_a_run_date_that_is_none_is_refused(run_date: str) -> None:
    with pytest.raises(ValueError, match="run date must be like"):
        process.day_of(run_date, "UTC", 1)


def test_a_day_that_has_not_come_is_refused() -> None:
    with pytest.raises(ValueError, match="lookback days must be 0 or more, got -1"):
        process.day_of("2026-11-21", "UTC", -1)


def test_only_csv_files_of_the_day_are_taken(incoming: Path) -> None:
    put(incoming, "orders-2026-11-20.json", "")
    put(incoming, "orders-2025-11-20.csv", "")
    names = [path.relative_to(incoming).as_posix() for path in process.files_of(DAY, incoming)]
    assert names == ["2026/11/20/west.csv", "orders-2026-11-20-east.csv"]


def test_a_date_above_the_input_folder_does_not_count(tmp_path: Path) -> None:
    put(tmp_path / "2026-11-20", "orders.csv", "1,Kyoto,1\n")
    with pytest.raises(FileNotFoundError, match="no CSV file for 2026-11-20"):
        process.files_of(DAY, tmp_path / "2026-11-20")


def test_rows_that_cannot_be_summed_are_counted_and_left_out() -> None:
    orders = pd.DataFrame(
        [
            ["1", "Kyoto", "5"],
            ["1", "Kyoto", "6"],
            ["2", " Kyoto ", " 1.5 "],
            ["3", "", "1"],
            ["4", None, "1"],
            [None, "Nara", "1"],
            ["5", "Nara", "free"],
            ["6", "Nara", "inf"],
            ["7", "Nara", None],
        ],
        columns=process.COLUMNS,
    )
    kept, counts = process.clean(orders)
    assert counts == {"read": 9, "invalid": 6, "duplicate": 1, "kept": 2}
    assert kept.values.tolist() == [["1", "Kyoto", 6.0], ["2", "Kyoto", 1.5]]


def test_an_order_in_two_files_counts_once(tmp_path: Path) -> None:
    put(tmp_path, "2026-11-20-a.csv", "1,Kyoto,5\n")
    put(tmp_path, "2026-11-20-b.csv", "1,Kyoto,7\n")
    manifest = process.process(DAY, tmp_path, tmp_path / "out")
    assert manifest["rows"] == {"read": 2, "invalid": 0, "duplicate": 1, "kept": 1}
    assert "Kyoto,1,7.00,7.00" in (tmp_path / "out" / "summary.csv").read_text()


def test_a_day_without_a_single_order_gives_a_summary_of_nothing(tmp_path: Path) -> None:
    put(tmp_path, "2026-11-20.csv", "")
    manifest = process.process(DAY, tmp_path, tmp_path / "out")
    assert manifest["rows"] == {"read": 0, "invalid": 0, "duplicate": 0, "kept": 0}
    assert (tmp_path / "out" / "summary.csv").read_text() == "store,orders,amount,mean_amount\n"


def test_other_columns_do_no_harm(tmp_path: Path) -> None:
    put(tmp_path, "2026-11-20.csv", "x,1,Kyoto,5\n", header="note,order_id,store,amount\n")
    process.process(DAY, tmp_path, tmp_path / "out")
    assert "Kyoto,1,5.00,5.00" in (tmp_path / "out" / "summary.csv").read_text()


@pytest.mark.parametrize(
    ("header", "message"),
    [("order_id,store\n", "has no column amount"), ("", "is empty: not even a header")],
)
def test_a_file_of_another_shape_is_refused(header: str, message: str, tmp_path: Path) -> None:
    put(tmp_path, "2026-11-20.csv", "", header=header)
    with pytest.raises(ValueError, match=message):
        process.process(DAY, tmp_path, tmp_path / "out")
