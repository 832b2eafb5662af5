"""Where the time of a warm synth goes: calls from Python to the CDK, by kind, and what they wait for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.measure import ROOT, Row

# Every call is a message to the Node process and the wait for its answer.
_PROGRAM = """
import collections, json, sys, time
started = time.perf_counter()
from jsii._kernel.providers import process
calls, seconds, longest = collections.Counter(), collections.Counter(), 0.0
send = process._NodeProcess.send
def counted(self, request, response_type):
    global longest
    name, before = type(request).__name__, time.perf_counter()
    try:
        return send(self, request, response_type)
    finally:
        took = time.perf_counter() - before
        calls[name] += 1
        seconds[name] += took
        longest = max(longest, took)
process._NodeProcess.send = counted
sys.path.insert(0, sys.argv[1])
import aws_cdk, cdk_nag
imported = time.perf_counter() - started
import app
from stacks.stages import STAGES
from scheduled_pipeline import ScheduledPipeline
made = []
init = ScheduledPipeline.__init__
def counting(self, *args, **kwargs):
    before = sum(calls.values()), time.perf_counter()
    init(self, *args, **kwargs)
    made.append((sum(calls.values()) - before[0], time.perf_counter() - before[1]))
ScheduledPipeline.__init__ = counting
app.main()
print(json.dumps({"all": time.perf_counter() - started, "imported": imported, "calls": calls,
                  "seconds": seconds, "longest": longest, "made": made}))
"""


def rows(scratch: Path) -> list[Row]:
    """Profile the app, in one process, the second time; the profile itself costs a little."""
    _profile(scratch)
    found = _profile(scratch)
    calls, waited = sum(found["calls"].values()), sum(found["seconds"].values())
    count = len(found["made"])
    each = sum(number for number, _ in found["made"]) / count
    seconds = sum(time for _, time in found["made"])
    return [
        Row("the whole process", f"{found['all']:.2f} s"),
        Row("import of aws_cdk and cdk_nag, which starts Node", f"{found['imported']:.2f} s"),
        Row("the longest call: app.synth() with cdk-nag's run", f"{found['longest']:.2f} s"),
        Row(f"{count} ScheduledPipelines", f"{seconds:.2f} s", f"{each:.0f} calls each"),
        Row("all calls to Node", f"{waited:.2f} s", f"{calls:,} calls"),
    ]


def _profile(scratch: Path) -> dict[str, Any]:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    context["scheduled-pipeline:cache"] = str(scratch / "cache")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(ROOT)],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(scratch / "cdk.out")},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
