"""The SageMaker pipelines of a cloud assembly, and what their execution roles have to be allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scheduled_pipeline.cli.assembly.assembly import Stack
from scheduled_pipeline.cli.assembly.intrinsics import Text, mapping
from scheduled_pipeline.definition.permission import EXECUTION_ROLE, Permission, filled
from scheduled_pipeline.definition.permissions.derive import derive, run_time_places

# What `resources/assets/pipeline_definition.py` writes beside a definition that is in S3.
_METADATA = "scheduled-pipeline:definition"


@dataclass(frozen=True, kw_only=True)
class PipelinePermissions:
    """One pipeline, and what was derived from its definition.

    Attributes:
        stack: name of the stack.
        logical_id: of the resource in its template.
        name: physical name; the logical id where CloudFormation makes the name.
        role: the ARN of the execution role.
        permissions: what it has to be allowed, with ``<...>`` for what only the deployment knows.
        unknown: the steps that read or write in S3 where the definition does not say.
        problem: why nothing could be derived, if so.
    """

    stack: str
    logical_id: str
    name: str
    role: str
    permissions: tuple[Permission, ...] = ()
    unknown: tuple[str, ...] = ()
    problem: str | None = None


def find_permissions(stacks: Iterable[Stack]) -> tuple[PipelinePermissions, ...]:
    """Those of all pipelines, in the order of the templates."""
    return tuple(
        _read(stack, logical_id, resource)
        for stack in stacks
        for logical_id, resource in stack.resources.items()
        if resource.get("Type") == "AWS::SageMaker::Pipeline"
    )


class NotHereError(Exception):
    """The assembly does not have the definition; the message says where it is."""


def definition_of(stack: Stack, resource: Mapping[str, Any]) -> Text:
    """The definition of a pipeline: in the template, or in the file that goes to S3.

    Raises:
        NotHereError: it is neither.
    """
    definition = mapping(mapping(resource.get("Properties")).get("PipelineDefinition"))
    body = stack.scope.property(definition, "PipelineDefinitionBody")
    if body is not None:
        return body
    shown = mapping(mapping(resource.get("Metadata")).get(_METADATA))
    path = shown.get("path")
    if not isinstance(path, str):
        raise NotHereError("its definition is not in the template but in S3")
    file = stack.file.parent / path
    try:
        text: str = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NotHereError(f"its definition, {file}, cannot be read: {error.strerror}") from None
    known = True
    for marker, value in mapping(shown.get("substitutions")).items():
        filled_in = stack.scope.text(value)
        text, known = text.replace(str(marker), json.dumps(filled_in.text)[1:-1]), known and filled_in.known
    return Text(text=text, known=known)


def _read(stack: Stack, logical_id: str, resource: Mapping[str, Any]) -> PipelinePermissions:
    scope, properties = stack.scope, mapping(resource.get("Properties"))
    name = scope.property(properties, "PipelineName")
    role = scope.property(properties, "RoleArn")
    found = PipelinePermissions(
        stack=stack.name,
        logical_id=logical_id,
        name=logical_id if name is None else name.text,
        role="-" if role is None else role.text,
    )
    try:
        document = json.loads(definition_of(stack, resource).text)
    except NotHereError as error:
        return replace(found, problem=str(error))
    except ValueError as error:
        return replace(found, problem=f"its definition is not JSON: {error}")
    if not isinstance(document, dict):
        return replace(found, problem="its definition is not a JSON object")
    own_name = None if name is None else name.text
    return replace(
        found,
        permissions=tuple(_filled(stack, found.role, derive(document, pipeline_name=own_name))),
        unknown=run_time_places(document).unknown,
    )


def _filled(stack: Stack, role: str, permissions: Iterable[Permission]) -> Iterator[Permission]:
    pseudo = {"Partition": "AWS::Partition", "Region": "AWS::Region", "Account": "AWS::AccountId"}
    values = {name: stack.scope.text({"Ref": reference}).text for name, reference in pseudo.items()}
    for one in permissions:
        resources = (role if name == EXECUTION_ROLE else filled(name, values) for name in one.resources)
        yield replace(one, resources=tuple(dict.fromkeys(resources)))
