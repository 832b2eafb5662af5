"""Validate a pipeline definition before SageMaker does: its structure, references and arguments.

SageMaker checks a definition in two places: CreatePipeline refuses some mistakes when the stack is
deployed, and the rest ends an execution at the step that has it. All that can be told from the
definition and the models of AWS's APIs is told here, all at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from scheduled_pipeline.definition.findings import Finding, Report, Suppressions
from scheduled_pipeline.definition.model import MAX_BODY_CHARACTERS, DefinitionError
from scheduled_pipeline.definition.parsed import Outline
from scheduled_pipeline.definition.validation import service_models
from scheduled_pipeline.definition.validation.dependencies import Dependencies, check_names
from scheduled_pipeline.definition.validation.outputs import check_outputs
from scheduled_pipeline.definition.validation.parameter_defaults import check_declared_parameters
from scheduled_pipeline.definition.validation.references import References
from scheduled_pipeline.definition.validation.shapes import ShapeChecker

__all__ = ["Finding", "check", "validate"]


def validate(document: Mapping[str, Any], *, suppress: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return all that SageMaker would refuse in a definition.

    Args:
        document: the definition, as in ``CompiledPipeline.document``. It may hold placeholders, whose
            value is unknown, and SageMaker's expressions, which count as what they refer to.
        suppress: findings to leave out, each as ``id``, or as ``id:path`` for one place and all below
            it. A path is written with indexes (``Steps[2].Arguments.Foo``) or, so that it
            stays right when steps are added, with names (``Steps.Train.Arguments.Foo``). For
            what AWS accepts and the installed botocore does not know yet.

    Raises:
        ValueError: ``suppress`` names a finding that does not exist.
        TypeError: ``suppress`` is one string.
    """
    return _unsuppressed(document, _findings(document), suppress)


def _findings(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    outline = Outline.of(document)
    report = Report()
    references = References(document, outline)
    _check_size(document, report)
    ShapeChecker(outline, references, report).check(document, service_models.find("Definition"), "")
    check_declared_parameters(outline, document, report)
    check_outputs(outline, report)
    for name, value in document.items():
        if name != "Steps":
            list(references.check(value, name, None, report))
    ambiguous = check_names(outline, report)
    Dependencies.of(outline, references, report).without(ambiguous).check(report)
    return tuple(report.findings)


def _unsuppressed(
    document: Mapping[str, Any], findings: Iterable[Finding], suppress: Iterable[str]
) -> tuple[Finding, ...]:
    suppressed = Suppressions.parse(suppress)
    outline = Outline.of(document)
    return tuple(
        finding for finding in findings if not suppressed.cover(finding, outline.place_names(finding.path))
    )


def check(
    document: Mapping[str, Any],
    *,
    source: str,
    suppress: Iterable[str] = (),
    findings: Iterable[Finding] | None = None,
) -> None:
    """Refuse a definition in which ``validate`` finds anything.

    Args:
        document: the definition.
        source: names it in the error, for example ``the build function pipelines.abalone:build``.
        suppress: findings to leave out, as for ``validate``.
        findings: what ``validate`` found in it before, with nothing left out. Default: it is validated.

    Raises:
        DefinitionError: lists all findings.
        ValueError: ``suppress`` names a finding that does not exist.
    """
    left = _unsuppressed(document, _findings(document) if findings is None else findings, suppress)
    if left:
        lines = "\n".join(f"  {finding}" for finding in left)
        raise DefinitionError(f"{source}: SageMaker would refuse the definition:\n{lines}")


def _check_size(document: Mapping[str, Any], report: Report) -> None:
    """Check the length of the body in its shortest form, which is how a long one is sent."""
    length = len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))
    if length > MAX_BODY_CHARACTERS:
        message = f"the definition has {length:,} characters, SageMaker allows {MAX_BODY_CHARACTERS:,}"
        report.add("bad-length", "Steps", message)
