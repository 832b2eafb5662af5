"""Measure synth and compile, and write the figures to docs/performance.md.

Whole processes are measured by wall clock, both sides of a ratio in alternation in one run, so
that a busy machine slows both.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "performance.md"
RUNS = 5

# As little as the CDK accepts: a template needs a resource.
EMPTY_APP = """
from aws_cdk import App, CfnWaitConditionHandle, Stack
app = App()
CfnWaitConditionHandle(Stack(app, "Empty"), "Nothing")
app.synth()
"""
COMPILE = """
import json, sys, time
from scheduled_pipeline.definition.compiler import Compiler
from scheduled_pipeline.definition.source import PipelineDefinition
compiler = Compiler()
seconds = []
for _ in range(int(sys.argv[1]) + 1):
    started = time.perf_counter()
    compiler.compile(PipelineDefinition.from_function("pipeline_defs.abalone.pipeline:build"),
                     region="us-east-1", partition="aws", pipeline_name="bench", values={})
    seconds.append(time.perf_counter() - started)
compiler.close()
print(json.dumps(seconds))
"""
IMPORT = "import time; s = time.perf_counter(); import scheduled_pipeline; print(time.perf_counter() - s)"


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, in seconds, and the ratio to another where there is one."""

    name: str
    seconds: float
    ratio: str = ""


def main() -> None:
    """Measure, print a table and write the report."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="scheduled-pipeline-bench-") as scratch:
        rows = [*_synth_rows(console, Path(scratch)), *_compile_rows(console), *_import_rows(console)]
    table = Table("Measured", "Median s", "Ratio")
    for row in rows:
        table.add_row(row.name, f"{row.seconds:.3f}", row.ratio)
    console.print(table)
    REPORT.write_text(_report(rows), encoding="utf-8")
    console.print(f"written to {REPORT.relative_to(ROOT)}")


def _synth_rows(console: Console, scratch: Path) -> list[Row]:
    """`cdk synth` of the app's two stages against an empty app, through the same CLI."""
    empty = scratch / "empty"
    empty.mkdir()
    (empty / "app.py").write_text(EMPTY_APP, encoding="utf-8")
    (empty / "cdk.json").write_text((ROOT / "cdk.json").read_text(encoding="utf-8"), encoding="utf-8")
    warm_home = scratch / "warm"
    warm_home.mkdir()
    rows = []
    for kind in ("cold", "warm"):
        console.print(f"cdk synth, {kind}: {RUNS} runs of each side ...")

        def home(kind: str = kind) -> Path:
            return warm_home if kind == "warm" else Path(tempfile.mkdtemp(dir=scratch))

        if kind == "warm":
            _synth(empty, home(), scratch)
        both = _alternate(lambda: _synth(empty, home(), scratch), lambda: _synth(ROOT, home(), scratch))
        ratio = f"{both[1] / both[0]:.2f} times the empty app"
        rows += [
            Row(f"cdk synth, {kind}, empty app", both[0]),
            Row(f"cdk synth, {kind}, this app", both[1], ratio),
        ]
    return rows


def _compile_rows(console: Console) -> list[Row]:
    console.print("compiling abalone ...")
    done = _python(COMPILE, str(RUNS))
    first, *others = json.loads(done)
    return [
        Row("compile of abalone, first: starts the child and imports the SDK", first),
        Row("compile of abalone, SDK imported", statistics.median(others)),
    ]


def _import_rows(console: Console) -> list[Row]:
    console.print("importing the package ...")
    return [Row("import scheduled_pipeline", statistics.median(float(_python(IMPORT)) for _ in range(RUNS)))]


def _alternate(*sides: Callable[[], float]) -> list[float]:
    """Return the median of each side, the sides taking turns."""
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(RUNS):
        for side, measured in zip(sides, seconds, strict=True):
            measured.append(side())
    return [statistics.median(measured) for measured in seconds]


def _synth(project: Path, home: Path, scratch: Path) -> float:
    started = time.perf_counter()
    subprocess.run(
        ["cdk", "synth", "--quiet", "--ci", "--no-notices", "--output", tempfile.mkdtemp(dir=scratch)],
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


def _python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def _report(rows: list[Row]) -> str:
    packages = ("aws-cdk-lib", "jsii", "sagemaker", "boto3")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines = "\n".join(f"| {row.name} | {row.seconds:.3f} | {row.ratio} |" for row in rows)
    return f"""# Performance

Written by `make bench`. Medians of {RUNS} runs; whole processes for `cdk synth`, both sides in turn.
Cold means an empty home folder, so that jsii unpacks the CDK again; warm means it finds it there.

Machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}.
Versions: {versions}.

| Measured | Median s | Ratio |
|---|---|---|
{lines}
"""


if __name__ == "__main__":
    main()
