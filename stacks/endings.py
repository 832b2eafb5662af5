"""How a synth ends that must not end well: findings fail it, and a slip is told in one sentence."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from aws_cdk.cx_api import CloudAssembly


def fail_on_findings(assembly: CloudAssembly) -> None:
    """Raise if a validation plugin reported a violation.

    The CDK sets the exit code of the Node process behind jsii, which Python's own exit code hides.

    Raises:
        ValueError: it lists each finding with the construct it is about.
    """
    report = json.loads((Path(assembly.directory) / "validation-report.json").read_text(encoding="utf-8"))
    findings = [
        f"  {construct['constructPath']}: {violation['ruleName']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]
    if findings:
        raise ValueError("findings that are neither mended nor acknowledged:\n" + "\n".join(sorted(findings)))


@contextlib.contextmanager
def slips_in_one_sentence() -> Iterator[None]:
    """End the process with the message of a ``ValueError``: where the slip is, and what is allowed."""
    try:
        yield
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
