"""``make demo`` succeeds only if everything that it shows is true."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local_aws.cdk_cli import CdkError
from local_aws.demo import Demo

ROOT = Path(__file__).resolve().parents[1]


def test_the_demo_deploys_fires_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_aws.demo"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Left behind: 0 pipelines, 0 schedules, 0 groups, 0 rules" in done.stdout
    assert "rate(1 minute)" in done.stdout
    assert '[+] "            \\"InstanceType\\": \\"ml.m5.xlarge\\",",' in done.stdout


@pytest.mark.parametrize(
    ("refusals", "ends"),
    [
        (["Pipeline 'p' has running executions."], "well"),
        (["has running executions", "again"], "again"),
        (["no"], "no"),
    ],
)
def test_a_pipeline_that_runs_is_destroyed_once_more_and_nothing_else_is(
    refusals: list[str], ends: str, tmp_path: Path
) -> None:
    class Cdk:
        def destroy(self) -> None:
            if refusals:
                raise CdkError(refusals.pop(0))

    no_server: Any = None
    demo = Demo(Console(quiet=True), no_server, tmp_path)
    vars(demo)["_cdk"] = Cdk()
    with contextlib.nullcontext() if ends == "well" else pytest.raises(CdkError, match=ends):
        demo._destroy()
    assert not refusals
