"""``CompiledPipeline``: what a pipeline definition is once the SDK has done its part."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.findings import Finding

# Quotas of Amazon SageMaker Pipelines, read from CreatePipeline (PipelineDefinition).
MAX_BODY_CHARACTERS = 1_048_576
_EXPERIMENT = "PipelineExperimentConfig"

_SHA256 = re.compile("[0-9a-f]{64}")
_FROM_A_ROOT = re.compile(r"[/\\]|[A-Za-z]:")


class DefinitionError(ValueError):
    """A pipeline definition could not be made, or is not one that SageMaker accepts."""


@dataclass(frozen=True)
class PipelineParameter:
    """A parameter that the definition declares.

    Attributes:
        name: as it is used in ``Parameters.<name>``.
        type: ``String``, ``Integer``, ``Float`` or ``Boolean``.
        default: the default, or None when every start has to give a value.
        enum: the values that are allowed, or None for any.
    """

    name: str
    type: str
    default: Any = None
    enum: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class UploadedFile:
    """One file of an upload: its path below the upload, its content's SHA-256 and where it is staged."""

    relative_path: str
    sha256: str
    staged_path: Path


@dataclass(frozen=True)
class Upload:
    """A file or a directory that the definition refers to, under a key made from its content.

    Attributes:
        digest: SHA-256 of the relative paths and contents, in hex; the first part of every key.
        name: the file's or the directory's own name; the second part of every key.
        files: the file itself (``relative_path`` is empty), or all files of the directory.
    """

    digest: str
    name: str
    files: tuple[UploadedFile, ...]

    @property
    def placeholder_uri(self) -> str:
        """The S3 URI that stands for this upload in the definition."""
        return f"s3://{placeholders.ASSET_BUCKET}/{self.digest}/{self.name}"

    @property
    def former_digest(self) -> str:
        """The ``digest`` of before archives were named by what is in them: of the files' paths and bytes."""
        content = "\n".join(f"{file.relative_path}\t{file.sha256}" for file in self.files)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class PackedUpload:
    """An ``Upload`` as JSON can hold it: each file is its path and its content's SHA-256."""

    digest: str
    name: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PackedPipeline:
    """A ``CompiledPipeline`` as JSON can hold it: from the child process, and in the cache."""

    body: str
    pipeline_name: str | None
    values_read: tuple[str, ...]
    uploads: tuple[PackedUpload, ...]
    findings: tuple[Finding, ...] | None = None

    def unpack(self, files: Path, source: str) -> CompiledPipeline:
        """Return the compiled pipeline again.

        Args:
            files: the folder in which the files of uploads are, each under the SHA-256 of its content.
            source: names it in errors.

        Raises:
            DefinitionError: the body is no definition, or an upload would lie elsewhere than in its folder.
        """
        try:
            document = json.loads(self.body, parse_constant=_refuse)
        except ValueError as error:
            raise DefinitionError(f"{source}: the definition is not JSON: {error}") from None
        for upload in self.uploads:
            _check_place(upload, source)
        return CompiledPipeline.from_document(
            document,
            uploads=[
                Upload(
                    upload.digest,
                    upload.name,
                    tuple(UploadedFile(path, sha256, files / sha256) for path, sha256 in upload.files),
                )
                for upload in self.uploads
            ],
            pipeline_name=self.pipeline_name,
            values_read=frozenset(self.values_read),
            findings=self.findings,
            source=source,
        )


@dataclass(frozen=True)
class CompiledPipeline:
    """A pipeline definition with placeholders for what only the deployment knows.

    Attributes:
        body: the definition as JSON text, indented unless it is too long for that; numbers and nulls
            exactly as the SDK wrote them.
        parameters: what the definition declares, in its order.
        uploads: what has to be in S3 before the pipeline runs.
        pipeline_name: the name the SDK's object had, or None where there was none.
        values_read: the values of the construct that the build function asked for.
        findings: all that SageMaker would refuse in it, or None where it was not validated yet.
    """

    body: str
    parameters: tuple[PipelineParameter, ...]
    uploads: tuple[Upload, ...] = ()
    pipeline_name: str | None = None
    values_read: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] | None = None

    @classmethod
    def from_document(
        cls,
        document: Any,
        *,
        uploads: Sequence[Upload] = (),
        pipeline_name: str | None = None,
        values_read: frozenset[str] = frozenset(),
        findings: tuple[Finding, ...] | None = None,
        source: str,
    ) -> CompiledPipeline:
        """Take a definition that was read from JSON; ``source`` names it in errors.

        Raises:
            DefinitionError: it has no steps, is not a definition at all, or is too long.
        """
        _check_structure(document, source)
        body = json.dumps(document, indent=2, ensure_ascii=False)
        if len(body) > MAX_BODY_CHARACTERS:
            body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        if len(body) > MAX_BODY_CHARACTERS:
            raise DefinitionError(
                f"{source}: the definition has {len(body):,} characters, "
                f"SageMaker allows {MAX_BODY_CHARACTERS:,}"
            )
        return cls(
            body=body,
            parameters=tuple(_parameters(document, source)),
            uploads=tuple(uploads),
            pipeline_name=pipeline_name,
            values_read=values_read,
            findings=findings,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The definition as a dictionary, a new one on each call."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    def without_experiment(self) -> CompiledPipeline:
        """Return the definition with no experiment and trial for its executions, as the SDK writes that.

        What was found is kept unless something refers to the experiment; then it is to be validated anew.
        """
        document = {**self.document, _EXPERIMENT: None}
        found = None if f"{_EXPERIMENT}." in self.body else self.findings
        return CompiledPipeline.from_document(
            document,
            uploads=self.uploads,
            pipeline_name=self.pipeline_name,
            values_read=self.values_read,
            findings=found,
            source="the definition",
        )

    def pack(self) -> PackedPipeline:
        """Return it as JSON can hold it; the files of uploads are named by their content."""
        return PackedPipeline(
            body=self.body,
            pipeline_name=self.pipeline_name,
            values_read=tuple(sorted(self.values_read)),
            uploads=tuple(
                PackedUpload(
                    upload.digest,
                    upload.name,
                    tuple((file.relative_path, file.sha256) for file in upload.files),
                )
                for upload in self.uploads
            ),
            findings=self.findings,
        )


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _check_place(upload: PackedUpload, source: str) -> None:
    """Refuse what would be no path below the folder of an upload, or no name of a file's content."""
    digests = [upload.digest, *(sha256 for _, sha256 in upload.files)]
    for text in digests:
        if not _SHA256.fullmatch(text):
            raise DefinitionError(f"{source}: an upload must be named by a SHA-256 in hex, got {text!r:.80}")
    for path in (upload.name, *(path for path, _ in upload.files)):
        if not {".", ".."}.isdisjoint(re.split(r"[/\\]", path)) or "\0" in path:
            raise DefinitionError(
                f"{source}: an upload may have no '.' or '..' in its path, got {path!r:.80}"
            )
        if _FROM_A_ROOT.match(path):
            raise DefinitionError(
                f"{source}: an upload may have no slash and no drive in front of its path, got {path!r:.80}"
            )
    if "/" in upload.name:
        raise DefinitionError(
            f"{source}: an upload must have a name without a slash, got {upload.name!r:.80}"
        )


def _check_structure(document: object, source: str) -> None:
    if not isinstance(document, Mapping):
        raise DefinitionError(f"{source}: the definition must be a JSON object, got {_kind(document)}")
    if not isinstance(document.get("Version"), str):
        raise DefinitionError(
            f"{source}: Version must be a string such as '2020-12-01', got {document.get('Version')!r}"
        )
    steps = document.get("Steps")
    if not isinstance(steps, list) or not steps:
        raise DefinitionError(f"{source}: Steps must be a list of at least one step, got {steps!r}")
    for index, step in enumerate(steps):
        if not isinstance(step, Mapping) or not {"Name", "Type"} <= step.keys():
            raise DefinitionError(
                f"{source}: Steps[{index}] must be an object with Name and Type, got {step!r:.80}"
            )


def _parameters(document: Mapping[str, Any], source: str) -> list[PipelineParameter]:
    declared = document.get("Parameters")
    if declared is None:
        return []
    if not isinstance(declared, list):
        raise DefinitionError(f"{source}: Parameters must be a list, got {_kind(declared)}")
    parameters = []
    for index, entry in enumerate(declared):
        if not isinstance(entry, Mapping) or not {"Name", "Type"} <= entry.keys():
            raise DefinitionError(
                f"{source}: Parameters[{index}] must be an object with Name and Type, got {entry!r:.80}"
            )
        enum = entry.get("EnumValues")
        if not isinstance(entry["Name"], str) or not isinstance(entry["Type"], str):
            raise DefinitionError(
                f"{source}: Parameters[{index}] must have a string as Name and as Type, got {entry!r:.80}"
            )
        if not isinstance(enum, list | None):
            raise DefinitionError(
                f"{source}: Parameters[{index}].EnumValues must be a list, got {_kind(enum)}"
            )
        parameters.append(
            PipelineParameter(
                name=entry["Name"],
                type=entry["Type"],
                default=entry.get("DefaultValue"),
                enum=tuple(enum) if enum else None,
            )
        )
    return parameters


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
