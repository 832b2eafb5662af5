"""``cdk synth`` against empty apps, and against the SDK inside the app's own process."""

from __future__ import annotations

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
_EMPTY_APP_WITH_NAG = """
from aws_cdk import App, CfnWaitConditionHandle, Stack, Validations
from cdk_nag import AwsSolutionsChecks
app = App()
Validations.of(app).add_plugins(AwsSolutionsChecks(app))
CfnWaitConditionHandle(Stack(app, "Empty"), "Nothing")
app.synth()
"""
_CACHE = "scheduled-pipeline:cache"


def rows(scratch: Path) -> list[Row]:
    """Measure whole processes; jsii has unpacked the CDK before, as on every machine but a new one."""
    home, kept = scratch / "home", ("--context", f"{_CACHE}={scratch / 'cache'}")
    home.mkdir()

    def run(*options: str) -> float:
        return synth(ROOT, home, scratch, *options)

    def written(name: str, text: str) -> tuple[str, str]:
        path = scratch / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return "--app", f"{sys.executable} {path}"

    empty, nagged = written("empty", _EMPTY_APP), written("nagged", _EMPTY_APP_WITH_NAG)
    two, naive = (("--app", f"{sys.executable} -m bench.{name}") for name in ("two_pipelines", "naive_app"))
    run(*kept)
    run(*two, *kept)
    of_empty, of_nagged, of_two, warm, cold, naively = alternate(
        lambda: run(*empty),
        lambda: run(*nagged),
        lambda: run(*two, *kept),
        lambda: run(*kept),
        lambda: run("--context", f"{_CACHE}={tempfile.mkdtemp(dir=scratch)}"),
        lambda: run(*naive),
    )
    return [
        Row("an empty app", f"{of_empty:.2f} s"),
        Row("an empty app with cdk-nag", f"{of_nagged:.2f} s", f"{of_nagged / of_empty:.2f} x an empty app"),
        at_most(
            "warm: two pipelines, one stage, no cdk-nag",
            f"{of_two:.2f} s",
            of_two / of_empty,
            1.25,
            "x an empty app",
        ),
        at_most(
            "warm: this app, two stages, with cdk-nag",
            f"{warm:.2f} s",
            warm / of_empty,
            1.25,
            "x an empty app",
        ),
        Row("the same", f"{warm:.2f} s", f"{warm / of_nagged:.2f} x an empty app with cdk-nag"),
        at_most("cold: this app", f"{cold:.2f} s", cold / naively, 0.75, "x the naive way"),
        Row("naive: this app, the SDK in its own process", f"{naively:.2f} s"),
    ]
