"""The templates of a cloud assembly, the folder that ``cdk synth`` writes.

They are found as the CDK's own command finds them: through the manifest, which names stacks and the
assemblies of stages, and through the metadata of a nested stack, which names its template.
https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from scheduled_pipeline.cli.assembly.intrinsics import Scope, Text, mapping
from scheduled_pipeline.cli.errors import CommandError, ExitCode

_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")


class AssemblyError(CommandError):
    """There is no cloud assembly, or it cannot be read."""

    exit_code: ClassVar[ExitCode] = ExitCode.NO_ASSEMBLY


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack's template.

    Attributes:
        name: the stack's name; a nested stack has its parent's, a slash and its logical id.
        file: where the template is.
        resources: the template's ``Resources``.
        scope: what the functions in them refer to.
    """

    name: str
    file: Path
    resources: Mapping[str, Any]
    scope: Scope


def read_assembly(folder: Path) -> tuple[Stack, ...]:
    """The stacks of a cloud assembly and of the stages in it, in the order of the manifest.

    Raises:
        AssemblyError: when there is none, or a file of it is missing or is not what it should be.
    """
    if not (folder / "manifest.json").is_file():
        what = "is not a cloud assembly" if folder.is_dir() else "does not exist"
        raise AssemblyError(
            f"{folder} {what}: run cdk synth first, or name the folder that it wrote with --assembly"
        )
    return tuple(_stacks(folder, frozenset()))


def _stacks(folder: Path, parents: frozenset[Path]) -> Iterator[Stack]:
    manifest = folder / "manifest.json"
    where = folder.resolve()
    if where in parents:
        raise AssemblyError(f"{manifest} is broken: the assembly contains itself")
    artifacts = _object(manifest).get("artifacts")
    if not isinstance(artifacts, dict):
        raise AssemblyError(f"{manifest} is not the manifest of a cloud assembly: it has no artifacts")
    for artifact_id, artifact in artifacts.items():
        properties = mapping(mapping(artifact).get("properties"))
        match mapping(artifact).get("type"):
            case "cdk:cloud-assembly":
                nested = _file_name(manifest, artifact_id, properties, "directoryName")
                yield from _stacks(folder / nested, parents | {where})
            case "aws:cloudformation:stack":
                file = folder / _file_name(manifest, artifact_id, properties, "templateFile")
                name = str(properties.get("stackName", artifact_id))
                known = {"AWS::StackName": name, **_environment(artifact)}
                given = {key: Text(text=value) for key, value in known.items()}
                yield from _stack(name, file, given, frozenset())


def _stack(name: str, file: Path, given: Mapping[str, Text], parents: frozenset[Path]) -> Iterator[Stack]:
    """A stack, and the stacks nested in it."""
    where = file.resolve()
    if where in parents:
        raise AssemblyError(f"{file} is broken: the stack contains itself")
    template = _object(file)
    resources = template.get("Resources", {})
    if not isinstance(resources, dict) or not all(isinstance(one, dict) for one in resources.values()):
        raise AssemblyError(f"{file} is not a template of CloudFormation: its Resources are not objects")
    scope = Scope(given=given, parameters=mapping(template.get("Parameters")), resources=resources)
    yield Stack(name=name, file=file, resources=resources, scope=scope)
    for logical_id, resource in resources.items():
        nested = mapping(resource.get("Metadata")).get("aws:asset:path")
        if resource.get("Type") == "AWS::CloudFormation::Stack" and isinstance(nested, str):
            parameters = mapping(mapping(resource.get("Properties")).get("Parameters"))
            pseudo = {key: text for key, text in given.items() if key.startswith("AWS::")}
            passed = {key: scope.text(value) for key, value in parameters.items()}
            # CloudFormation makes a nested stack's own name.
            inner = {**pseudo, **passed, "AWS::StackName": Text(text=f"<{logical_id}>", known=False)}
            yield from _stack(f"{name}/{logical_id}", file.parent / nested, inner, parents | {where})


def _environment(artifact: Mapping[str, Any]) -> dict[str, str]:
    match = _ENVIRONMENT.fullmatch(str(artifact.get("environment")))
    if match is None:
        return {}
    named = {"AWS::AccountId": match[1], "AWS::Region": match[2]}
    return {key: value for key, value in named.items() if not value.startswith("unknown-")}


def _file_name(manifest: Path, artifact_id: str, properties: Mapping[str, Any], key: str) -> str:
    name = properties.get(key)
    if not isinstance(name, str):
        raise AssemblyError(f"{manifest} is broken: {artifact_id} has no {key}")
    return name


def _object(file: Path) -> Mapping[str, Any]:
    """The JSON object in a file."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{file} is missing from the cloud assembly: run cdk synth again") from None
    except OSError as error:
        raise AssemblyError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise AssemblyError(f"{file} is not valid JSON: {error}: run cdk synth again") from None
    if not isinstance(value, dict):
        raise AssemblyError(f"{file} is not a JSON object: run cdk synth again")
    return value
