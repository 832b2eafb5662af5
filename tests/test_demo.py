"""`make demo` shows what it promises and ends well only if it is so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
