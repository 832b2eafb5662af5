"""Summarise one day's order files by store.

Each input file is a CSV with a header and the columns ``order_id``, ``store`` and ``amount``. A file
belongs to the day that its path names, as ``2026-11-20`` or as folders ``2026/11/20``. Orders that
are there twice, and rows without an order, a store or a number as amount, are left out and counted.

Writes ``summary.csv`` (store, orders, amount, mean amount) and ``manifest.json``, which says which
files the summary was made from and how many rows were left out.

Runs in SageMaker's scikit-learn container, so it keeps to Python 3.8 and pandas 1.1.
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import sys
from pathlib import Path

import pandas as pd

COLUMNS = ["order_id", "store", "amount"]

logger = logging.getLogger("process")


def main() -> None:
    """Read the arguments, and end with one line on standard error if there is nothing to summarise."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    base = Path("/opt/ml/processing")
    parser = argparse.ArgumentParser(description="Summarise one day's order files by store.")
    parser.add_argument("--run-date", required=True, help="2026-11-21 or 2026-11-21T03:00:00Z")
    parser.add_argument("--lookback-days", type=int, default=1, help="how many days before it to summarise")
    parser.add_argument("--time-zone", default="UTC", help="the zone in which a day begins and ends")
    parser.add_argument("--input-dir", type=Path, default=base / "incoming")
    parser.add_argument("--output-dir", type=Path, default=base / "summary")
    args = parser.parse_args()
    try:
        day = day_of(args.run_date, args.time_zone, args.lookback_days)
        manifest = process(day, args.input_dir, args.output_dir)
    except (OSError, ValueError) as error:
        sys.exit(f"process: {error}")
    logger.info("%s", json.dumps(manifest))


def day_of(run_date: str, time_zone: str, lookback_days: int) -> datetime.date:
    """Return the day to summarise.

    A run date without an offset means the wall clock of the zone; one with an offset, such as what
    the scheduler passes, is an instant that is converted to the zone first.
    """
    if lookback_days < 0:
        raise ValueError(f"lookback days must be 0 or more, got {lookback_days}")
    try:
        moment = pd.Timestamp(run_date)
    except ValueError:
        moment = pd.NaT
    if moment is pd.NaT:
        raise ValueError(f"run date must be like 2026-11-21 or 2026-11-21T03:00:00Z, got {run_date!r}")
    try:
        pd.Timestamp(0, tz=time_zone)
    except (KeyError, OSError, ValueError):  # whatever the time zone library of this pandas raises
        raise ValueError(f"time zone must be an IANA name such as Asia/Tokyo, got {time_zone!r}") from None
    local = moment if moment.tzinfo is None else moment.tz_convert(time_zone)
    day: datetime.date = local.date()
    return day - datetime.timedelta(days=lookback_days)


def process(day: datetime.date, input_dir: Path, output_dir: Path) -> dict[str, object]:
    """Write the day's summary and manifest; return the manifest."""
    files = files_of(day, input_dir)
    orders = pd.concat([read_file(path) for path in files], ignore_index=True)
    valid, counts = clean(orders)
    output_dir.mkdir(parents=True, exist_ok=True)
    summarise(valid).to_csv(output_dir / "summary.csv", index=False, float_format="%.2f")
    manifest: dict[str, object] = {
        "day": day.isoformat(),
        "files": [path.relative_to(input_dir).as_posix() for path in files],
        "rows": counts,
        "output": "summary.csv",
    }
    (output_dir / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def files_of(day: datetime.date, input_dir: Path) -> list[Path]:
    """Return the CSV files whose path names the day, in a fixed order."""
    names = (day.strftime("%Y-%m-%d"), day.strftime("%Y/%m/%d"))
    files = [
        path
        for path in sorted(input_dir.rglob("*.csv"))
        if any(name in path.relative_to(input_dir).as_posix() for name in names)
    ]
    if not files:
        raise FileNotFoundError(f"no CSV file for {day.isoformat()} in {input_dir}")
    return files


def read_file(path: Path) -> pd.DataFrame:
    """Return the columns that are wanted of one file, as text."""
    try:
        data = pd.read_csv(path, dtype=str, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty: not even a header") from None
    missing = [name for name in COLUMNS if name not in data.columns]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}")
    return data[COLUMNS]


def clean(orders: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows that can be summed, and how many were read and left out."""
    names = {name: orders[name].str.strip() for name in ("order_id", "store")}
    amounts = pd.to_numeric(orders["amount"], errors="coerce").astype(float)
    orders = pd.DataFrame({name: text.where(text != "") for name, text in names.items()})
    orders["amount"] = amounts.where(amounts.abs() != float("inf"))
    valid = orders.dropna()
    unique = valid.drop_duplicates(subset="order_id", keep="last")
    counts = {
        "read": len(orders),
        "invalid": len(orders) - len(valid),
        "duplicate": len(valid) - len(unique),
        "kept": len(unique),
    }
    return unique, counts


def summarise(orders: pd.DataFrame) -> pd.DataFrame:
    """Return one row a store, in the order of their names."""
    return orders.groupby("store", as_index=False, sort=True).agg(
        orders=("order_id", "count"), amount=("amount", "sum"), mean_amount=("amount", "mean")
    )


if __name__ == "__main__":
    main()
