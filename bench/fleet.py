"""How long fleets take to synthesize, and how much memory: whole processes of `bench/fleet_app.py`."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "bench" / "fleet_app.py"
SIZES = (1, 50, 200, 1000)
# Targets, on a machine that does nothing else.
MAX_MILLISECONDS_A_PIPELINE = 40
MAX_GROWTH_200_TO_1000 = 5.5
MAX_MEGABYTES = 2048
_SECONDS_BETWEEN_LOOKS = 0.05
_KILOBYTE = 1024


@dataclass(frozen=True)
class FleetRun:
    """One synth of a fleet.

    Attributes:
        pipelines: how many, each with two schedules.
        seconds: of the whole process.
        python_megabytes: the most that the Python process held at a time.
        node_megabytes: the most that all its children held at a time.
    """

    pipelines: int
    seconds: float
    python_megabytes: float
    node_megabytes: float

    @property
    def megabytes(self) -> float:
        """An upper bound of what Python and Node held together."""
        return self.python_megabytes + self.node_megabytes


@dataclass(frozen=True)
class FleetFigures:
    """Medians of the runs of each size, in the order of the sizes."""

    runs: tuple[FleetRun, ...]

    def of(self, pipelines: int) -> FleetRun:
        """Return the run of a size."""
        return next(run for run in self.runs if run.pipelines == pipelines)

    def milliseconds_a_pipeline(self, pipelines: int) -> float:
        """What one pipeline more costs: the time above that of the smallest fleet, by pipeline."""
        base = self.runs[0]
        return 1000 * (self.of(pipelines).seconds - base.seconds) / (pipelines - base.pipelines)

    def growth(self, smaller: int, larger: int) -> float:
        """How many times as long the larger fleet takes."""
        return self.of(larger).seconds / self.of(smaller).seconds


def measure_fleets(sizes: Iterable[int] = SIZES, *, runs: int = 3) -> FleetFigures:
    """Synthesize fleets of each size so many times, after one run that warms the caches of jsii."""
    sizes = tuple(sizes)
    run_fleet(1)
    return FleetFigures(tuple(_median([run_fleet(size) for _ in range(runs)]) for size in sizes))


def run_fleet(pipelines: int) -> FleetRun:
    """Synthesize one fleet in a process of its own.

    Raises:
        subprocess.CalledProcessError: the app failed.
    """
    with tempfile.TemporaryDirectory(prefix="scheduled-pipeline-fleet-") as outdir:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(APP), str(pipelines), outdir],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "constructs")},
        )
        peak = _Peak(process.pid)
        printed, _ = process.communicate()
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, process.args, printed)
    python = json.loads(printed.splitlines()[-1])["python_megabytes"]
    return FleetRun(pipelines, seconds, python, peak.stop())


def report(figures: FleetFigures) -> str:
    """Return the figures as a table of Markdown, with the targets."""
    lines = [
        f"| {run.pipelines:,} | {run.seconds:.1f} | {_cost(figures, run)} | {run.python_megabytes:.0f} "
        f"| {run.node_megabytes:.0f} |"
        for run in figures.runs
    ]
    head = "| Pipelines | Seconds | ms for one more | Python MB | Node MB |\n|---|---|---|---|---|"
    table = "\n".join([head, *lines])
    sizes = [run.pipelines for run in figures.runs]
    if {200, 1000} <= set(sizes):
        table += (
            f"\n\n1,000 pipelines take {figures.growth(200, 1000):.1f} times as long as 200 "
            f"(at most {MAX_GROWTH_200_TO_1000}). Targets: {MAX_MILLISECONDS_A_PIPELINE} ms a pipeline, "
            f"{MAX_MEGABYTES:,} MB of Python and Node together."
        )
    return table


def _cost(figures: FleetFigures, run: FleetRun) -> str:
    if run.pipelines == figures.runs[0].pipelines:
        return ""
    return f"{figures.milliseconds_a_pipeline(run.pipelines):.0f}"


def _median(runs: list[FleetRun]) -> FleetRun:
    return FleetRun(
        pipelines=runs[0].pipelines,
        seconds=statistics.median(run.seconds for run in runs),
        python_megabytes=max(run.python_megabytes for run in runs),
        node_megabytes=max(run.node_megabytes for run in runs),
    )


class _Peak:
    """Looks again and again at what the descendants of a process hold, and keeps the most."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop looking; returns the most, in megabytes."""
        self._ended.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            self._most = max(self._most, sum(_held_by(pid) for pid in _descendants(self._pid)))


def _descendants(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:  # it has ended, or this is not Linux
        return []
    children = [int(child) for child in text.split()]
    return [*children, *(later for child in children for later in _descendants(child))]


def _held_by(pid: int) -> float:
    """Return the resident memory of a process in megabytes, 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return float(sizes[0]) / _KILOBYTE if sizes else 0.0


if __name__ == "__main__":
    print(report(measure_fleets()))
