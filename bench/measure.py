"""What all parts of the benchmark share: a row of the report, and how sides are measured in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: what was measured.
        figure: the figure with its unit.
        ratio: the ratio to another figure of the same run, where there is one.
        reach: what it is to reach, where that is stated.
        met: whether it does.
    """

    name: str
    figure: str
    ratio: str = ""
    reach: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The cells of the row in a table."""
        verdict = {True: ", met", False: ", **not met**", None: ""}[self.met]
        return self.name, self.figure, self.ratio, self.reach + verdict


def at_most(name: str, figure: str, value: float, limit: float, unit: str) -> Row:
    """Make the row of a figure that is to be at most ``limit``."""
    return Row(name, figure, f"{value:.2f} {unit}", f"{limit:g} {unit} or less", value <= limit)


def alternate(*sides: Callable[[], float], runs: int = RUNS) -> list[float]:
    """Return the median of each side, the sides taking turns, so that a busy machine slows all."""
    measured: list[list[float]] = [[] for _ in sides]
    for _ in range(runs):
        for side, figures in zip(sides, measured, strict=True):
            figures.append(side())
    return [statistics.median(figures) for figures in measured]


def synth(project: Path, home: Path, scratch: Path, *options: str) -> float:
    """Return the wall time of a whole ``cdk synth``, in seconds."""
    command = ["cdk", "synth", "--quiet", "--ci", "--no-notices"]
    started = time.perf_counter()
    subprocess.run(
        [*command, "--output", tempfile.mkdtemp(dir=scratch), *options],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        },
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def python(code: str, *arguments: str) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout
