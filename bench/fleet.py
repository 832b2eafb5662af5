"""How long fleets take to synthesize, and how much memory: whole processes of ``bench/fleet_app.py``."""

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

from bench.measure import ROOT, Row

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
    """Synthesize fleets of each size so many times, after one run that fills the cache of definitions."""
    sizes = tuple(sizes)
    with tempfile.TemporaryDirectory(prefix="scheduled-pipeline-fleet-") as cache:
        run_fleet(max(sizes), cache)
        return FleetFigures(tuple(_median([run_fleet(size, cache) for _ in range(runs)]) for size in sizes))


def run_fleet(pipelines: int, cache: str) -> FleetRun:
    """Synthesize one fleet in a process of its own.

    Raises:
        subprocess.CalledProcessError: the app failed.
    """
    with tempfile.TemporaryDirectory(prefix="scheduled-pipeline-fleet-") as outdir:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(APP), str(pipelines), outdir, cache],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        peak = _Peak(process.pid)
        printed, _ = process.communicate()
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, process.args, printed)
    python = json.loads(printed.splitlines()[-1])["python_megabytes"]
    return FleetRun(pipelines, seconds, python, peak.stop())


def rows(_: Path) -> list[Row]:
    """Measure the fleets and hold them against the targets."""
    figures = measure_fleets()
    found = []
    for run in figures.runs:
        memory = f"{run.python_megabytes:.0f} MB Python, {run.node_megabytes:.0f} MB Node"
        found.append(Row(f"{run.pipelines:,} pipelines", f"{run.seconds:.1f} s", memory))
    for size in (50, 200, 1000):
        cost = figures.milliseconds_a_pipeline(size)
        reach = f"{MAX_MILLISECONDS_A_PIPELINE} ms or less"
        name = f"one pipeline more, of {size:,}"
        found.append(Row(name, f"{cost:.0f} ms", "", reach, cost <= MAX_MILLISECONDS_A_PIPELINE))
    growth, peak = figures.growth(200, 1000), figures.of(1000).megabytes
    limits = (f"{MAX_GROWTH_200_TO_1000} or less", f"{MAX_MEGABYTES:,} MB or less")
    return [
        *found,
        Row("1,000 against 200", "", f"{growth:.1f} times", limits[0], growth <= MAX_GROWTH_200_TO_1000),
        Row("peak memory of 1,000, Python and Node", f"{peak:.0f} MB", "", limits[1], peak <= MAX_MEGABYTES),
    ]


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
