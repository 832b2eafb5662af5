"""`cdk synth` of this app against an empty app, and against the SDK inside the app's own process."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from bench.measure import ROOT, Row, alternate, at_most, synth

# As little as the CDK accepts: a template needs a resource.
_EMPTY_APP = """
from aws_cdk import App, CfnWaitConditionHandle, Stack
app = App()
CfnWaitConditionHandle(Stack(app, "Empty"), "Nothing")
app.synth()
"""
_CACHE = "scheduled-pipeline:cache"


def rows(scratch: Path) -> list[Row]:
    """Measure whole processes; jsii has unpacked the CDK before, as on every machine but a new one."""
    empty = scratch / "empty"
    empty.mkdir()
    (empty / "app.py").write_text(_EMPTY_APP, encoding="utf-8")
    shutil.copy(ROOT / "cdk.json", empty)
    home, kept = scratch / "home", scratch / "cache"
    home.mkdir()
    naive = ("--app", f"{sys.executable} -m bench.naive_app")
    synth(ROOT, home, scratch, "--context", f"{_CACHE}={kept}")
    of_empty, warm, cold, naively = alternate(
        lambda: synth(empty, home, scratch),
        lambda: synth(ROOT, home, scratch, "--context", f"{_CACHE}={kept}"),
        lambda: synth(ROOT, home, scratch, "--context", f"{_CACHE}={tempfile.mkdtemp(dir=scratch)}"),
        lambda: synth(ROOT, home, scratch, *naive),
    )
    return [
        Row("cdk synth, empty app", f"{of_empty:.2f} s"),
        at_most(
            "cdk synth, warm: all is in the cache", f"{warm:.2f} s", warm / of_empty, 1.25, "x the empty app"
        ),
        at_most(
            "cdk synth, cold: the cache is empty", f"{cold:.2f} s", cold / naively, 0.75, "x the naive way"
        ),
        Row("cdk synth, naive: the SDK in the app's process", f"{naively:.2f} s"),
    ]
