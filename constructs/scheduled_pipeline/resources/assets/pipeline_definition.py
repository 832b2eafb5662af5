"""Where the definition of a pipeline is in a deployment: in the template, readable or dense, or in S3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from constructs import Construct

METADATA = "scheduled-pipeline:definition"
"""Key of the metadata of a pipeline resource that says where its definition is, if it is not in lines."""

# A line of the definition in a template: its indentation, quotes, comma and line break.
_LINE_OVERHEAD = 14
# Of a template, for one in S3: its location, the custom resource, and the stack's function.
_BYTES_IN_S3 = 12_000


@dataclass(frozen=True)
class DefinitionLimits:
    """Up to how many bytes of a template a definition may take.

    Attributes:
        lines: as lines, which ``cdk diff`` shows one by one.
        compact: as one text without white space; what is larger goes to S3.
    """

    lines: int
    compact: int


# A template has room for 1 MB; this leaves some for a few other pipelines and resources.
ALONE = DefinitionLimits(lines=256_000, compact=512_000)
# Some twenty share a stack.
IN_A_FLEET = DefinitionLimits(lines=32_000, compact=64_000)


@dataclass(frozen=True)
class PlacedDefinition:
    """A definition, and where it is.

    Attributes:
        kind: ``lines`` or ``compact`` in the template, or ``s3``.
        template_bytes: about how much of the template it takes.
        properties: the value of the resource's ``PipelineDefinition``.
        metadata: what the resource's metadata says of it; None for lines, which speak for themselves.
    """

    kind: Literal["lines", "compact", "s3"]
    template_bytes: int
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any] | None


def place_definition(scope: Construct, text: str, limits: DefinitionLimits) -> PlacedDefinition:
    """Return the definition ``text``, which may hold tokens, in the first form that is small enough."""
    size = _bytes_as_lines(text)
    if size <= limits.lines:
        return PlacedDefinition("lines", size, {"PipelineDefinitionBody": join_lines(text)}, None)
    dense = compact(text)
    shown = {"as": "compact", "characters": len(dense)}
    if _bytes(dense) <= limits.compact:
        return PlacedDefinition("compact", _bytes(dense), {"PipelineDefinitionBody": dense}, shown)
    # With AWS Lambda's part of the CDK, which takes longer to import than most synths need for a pipeline.
    from scheduled_pipeline.resources.assets.definition_object import definition_object

    stored = definition_object(scope, dense)
    shown |= {"as": "s3", "path": stored.path, "substitutions": dict(stored.substitutions)}
    properties = {"PipelineDefinitionS3Location": dict(stored.location)}
    return PlacedDefinition("s3", _BYTES_IN_S3, properties, shown)


def join_lines(text: str) -> dict[str, Any]:
    """Return ``text`` as a template value with one element a line.

    ``cdk diff`` compares a template element by element, so that a changed line of the definition
    shows as one removed and one added line. ``Fn.join()`` would merge the lines into one element.
    """
    return {"Fn::Join": ["\n", text.split("\n")]}


def compact(text: str) -> str:
    """Return JSON without white space between its parts."""
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def _bytes_as_lines(text: str) -> int:
    return _bytes(text) + _LINE_OVERHEAD * (text.count("\n") + 1)


def _bytes(text: str) -> int:
    """Return how long a text is as a JSON string in UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode())
