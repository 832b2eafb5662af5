"""How long 50 pipelines with 100 schedules take to deploy and to destroy on the local AWS.

One side is a fleet by ``cdk deploy`` and ``cdk destroy``, whole processes; the other the SDK's ``upsert`` and
``put_triggers``, one pipeline after the other, without the import of the SDK. Both talk to one server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.measure import ROOT, Row
from local_aws import LocalAws
from local_aws.cdk_cli import CdkCli

PIPELINES = 50
ACCOUNT = "111122223333"  # that of bench/fleet_app.py
SDK_ACCOUNT = "222233334444"
REGION = "eu-west-1"
CONCURRENCY = "10"


class DeployError(Exception):
    """What was deployed is not there, or what was destroyed still is."""


@dataclass(frozen=True)
class DeployFigures:
    """Seconds of one side.

    Attributes:
        side: ``fleet`` or ``sdk``.
        synth: of ``cdk synth``; 0 for the SDK.
        deploy: until all pipelines and schedules were there.
        unchanged: of one more deploy that changes nothing.
        destroy: until they were gone.
    """

    side: str
    synth: float
    deploy: float
    unchanged: float
    destroy: float


def measure_deploys(pipelines: int = PIPELINES) -> tuple[DeployFigures, DeployFigures]:
    """Deploy and destroy with the fleet and with the SDK; returns the figures of both.

    Raises:
        DeployError: something is missing, or left.
    """
    with (
        LocalAws.start(account=ACCOUNT) as aws,
        tempfile.TemporaryDirectory(prefix="scheduled-pipeline-deploy-") as scratch,
    ):
        return _fleet(aws, Path(scratch), pipelines), _sdk(replace(aws, account=SDK_ACCOUNT), pipelines)


def rows(_: Path) -> list[Row]:
    """Measure both sides, and give the second as a ratio to the first."""
    ours, theirs = measure_deploys()
    found = [Row("fleet: synth, warm", f"{ours.synth:.1f} s")]
    for what in ("deploy", "unchanged", "destroy"):
        fleet, sdk = getattr(ours, what), getattr(theirs, what)
        found += [
            Row(f"fleet: {what}", f"{fleet:.1f} s", f"{fleet / sdk:.1f} x the SDK's loop"),
            Row(f"upsert and put_triggers in a loop: {what}", f"{sdk:.1f} s"),
        ]
    return found


def _fleet(aws: LocalAws, scratch: Path, pipelines: int) -> DeployFigures:
    home, outdir = scratch / "home", scratch / "cdk.out"
    home.mkdir()
    cdk = CdkCli(aws=aws, folder=scratch, home=home, app=str(outdir), region=REGION)
    cdk.bootstrap()
    cache = scratch / "cache"
    _synthesize(pipelines, outdir, cache)
    synth = _seconds(lambda: _synthesize(pipelines, outdir, cache))
    arguments = ("--all", "--concurrency", CONCURRENCY, "--require-approval", "never")
    deploy = _seconds(lambda: cdk.run("deploy", *arguments))
    _check(aws, pipelines)
    unchanged = _seconds(lambda: cdk.run("deploy", *arguments))
    destroy = _seconds(lambda: cdk.run("destroy", "--all", "--force"))
    _check(aws, 0)
    return DeployFigures("fleet", synth, deploy, unchanged, destroy)


def _synthesize(pipelines: int, outdir: Path, cache: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "bench" / "fleet_app.py"), str(pipelines), str(outdir), str(cache)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )


def _sdk(aws: LocalAws, pipelines: int) -> DeployFigures:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "deploy_sdk.py"), str(pipelines)],
        cwd=ROOT,
        env={
            **os.environ,
            **aws.environment(region=REGION),
            "PYTHONPATH": str(ROOT),
            "SAGEMAKER_VALIDATE_ROLE": "false",
        },
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = json.loads(done.stdout.splitlines()[-1])
    _check(aws, 0)
    return DeployFigures("sdk", synth=0.0, **seconds)


def _check(aws: LocalAws, pipelines: int) -> None:
    there = aws.inventory(account=aws.account, region=REGION)
    if (len(there.pipelines), len(there.schedules)) != (pipelines, 2 * pipelines):
        raise DeployError(
            f"{pipelines} pipelines with {2 * pipelines} schedules should be there, got "
            f"{len(there.pipelines)} and {len(there.schedules)}"
        )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
