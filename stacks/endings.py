"""Makes a synth fail when there are findings, and shows a mistake in this project as one sentence."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk.cx_api import CloudAssembly


def fail_on_findings(assembly: CloudAssembly) -> None:
    """End the process with an error if a validation plugin reported a violation.

    The CDK sets the exit code of the Node process behind jsii, which Python's own exit code hides.

    Raises:
        SystemExit: it lists each finding with the construct it is about.
    """
    report = json.loads((Path(assembly.directory) / "validation-report.json").read_text(encoding="utf-8"))
    findings = [
        f"  {construct['constructPath']}: {violation['ruleName']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]
    if findings:
        raise SystemExit(
            "error: findings that are neither mended nor acknowledged:\n" + "\n".join(sorted(findings))
        )


@contextlib.contextmanager
def slips_in_one_sentence() -> Iterator[None]:
    """Show an error that a mistake in this project's files has caused as one sentence, without a traceback.

    The message says what is allowed; the last line of the project on the way to the error is put before it.
    Anything else keeps its traceback.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        raise SystemExit(f"error: {_place(error)}{error}") from None
    except RuntimeError as error:
        if not str(error).startswith("ValidationFailed"):
            raise
        raise SystemExit(f"error: {error}") from None


def _place(error: BaseException) -> str:
    project = Path(__file__).resolve().parents[1]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).parent in {project, project / "stacks"}
    ]
    return f"{Path(frames[-1].filename).relative_to(project)}:{frames[-1].lineno}: " if frames else ""
