"""Measure, print a table and write docs/performance.md.

``python -m bench`` measures everything; ``python -m bench synth pure`` the parts that are named, and leaves
the report as it is.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import deploy, fleet, profile, pure, synth
from bench.measure import ROOT, RUNS, Row
from local_aws.server import server_python

REPORT = ROOT / "docs" / "performance.md"

_WHAT_HOLDS_BACK = """\
What keeps the warm synth above its reach, in the tables: the run of cdk-nag and the loading of its modules
(an empty app with and without it); `app.synth()`, in which the CDK checks and writes six templates where the
empty app has one; the Python modules of the services; and the calls that make the resources. No SDK is
imported and no child is started.
"""

Part = tuple[str, str, Callable[[Path], list[Row]]]

PARTS: list[Part] = [
    (
        "synth",
        f"`cdk synth`; warm is with all definitions in the cache, cold with none. Medians of {RUNS}",
        synth.rows,
    ),
    ("fleet", "`PipelineFleet`, two schedules a pipeline, warm", fleet.rows),
    ("deploy", "Deploy and destroy 50 pipelines with 100 schedules on the local AWS", deploy.rows),
    ("pure", f"Without the CDK. Medians of {RUNS}", lambda _: pure.rows()),
    ("profile", "Where the time of a warm synth goes", profile.rows),
]


def main(wanted: list[str]) -> None:
    """Measure the parts that are wanted, or all."""
    console = Console()
    unknown = set(wanted) - {name for name, _, _ in PARTS}
    if unknown:
        sys.exit(f"there is no part {sorted(unknown)}; there are {[name for name, _, _ in PARTS]}")
    sections = []
    for name, title, measure in PARTS:
        if wanted and name not in wanted:
            continue
        console.print(f"measuring: {name} ...")
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as scratch:
            rows = measure(Path(scratch))
        console.print(_table(title, rows))
        sections.append(_section(title, rows))
    if not wanted:
        REPORT.write_text(_report(sections), encoding="utf-8")
        console.print(f"written to {REPORT.relative_to(ROOT)}")


def _table(title: str, rows: list[Row]) -> Table:
    table = Table("Measured", "Figure", "Ratio", "Reach", title=title)
    for row in rows:
        table.add_row(*row.cells)
    return table


def _section(title: str, rows: list[Row]) -> str:
    lines = "\n".join(f"| {' | '.join(row.cells)} |" for row in rows)
    return f"## {title}\n\n| Measured | Figure | Ratio | Reach |\n|---|---|---|---|\n{lines}\n"


def _report(sections: list[str]) -> str:
    packages = ("aws-cdk-lib", "jsii", "cdk-nag", "sagemaker", "boto3")
    versions = ", ".join([*(f"{name} {version(name)}" for name in packages), f"ministack {_of_ministack()}"])
    return f"""# Performance

Written by `make bench`. Whole processes by wall clock; the sides of a ratio took turns in one run.

Machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}.
Versions: {versions}.

{_WHAT_HOLDS_BACK}
{chr(10).join(sections)}"""


def _of_ministack() -> str:
    # It is installed where the local AWS runs, not here.
    script = "from importlib.metadata import version; print(version('ministack'))"
    return subprocess.check_output([server_python(), "-c", script], text=True).strip()


if __name__ == "__main__":
    main(sys.argv[1:])
