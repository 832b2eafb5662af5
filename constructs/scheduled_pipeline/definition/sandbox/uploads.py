"""Give what the SDK uploaded a key made from its content, in the definition and in S3.

The SDK's own keys hold hashes of paths and time stamps. They are replaced, so that the same
files have the same key on every machine and on every day, and keep their own names, which
SageMaker shows inside the container.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.document import JsonPath, map_strings
from scheduled_pipeline.definition.model import DefinitionError, Upload, UploadedFile


@dataclass(frozen=True)
class RecordedObject:
    """An object that was put into S3, or would have been: its place there and its staged content.

    ``by_sdk`` says that the SDK did so of itself, and no line of the build function asked for it.
    ``content_sha256`` is what its key is made from, where that is not the SHA-256 of its bytes: of an archive
    they differ from one zlib to the next, and what is in it does not.
    """

    bucket: str
    key: str
    sha256: str
    staged_path: Path
    by_sdk: bool = False
    content_sha256: str | None = None


# Where a step writes. A folder that is written to is never an upload, whatever was uploaded below it.
_OUTPUTS = {
    "AsyncInferenceConfig",
    "DataCaptureConfig",
    "MonitoringOutputConfig",
    "OutputConfig",
    "OutputDataConfig",
    "ProcessingOutputConfig",
    "S3OutputPath",
    "TransformOutput",
}
_END_OF_URI = re.compile(r"/?(?=$|[\s\"'`,;)|&<>])")


def address_by_content(
    document: Any, recorded: Sequence[RecordedObject], source: str
) -> tuple[Any, tuple[Upload, ...]]:
    """Replace each S3 URI of an upload in a definition by one made from the upload's content.

    A recorded object belongs to the longest URI that names it or is a folder above it, so that a
    location above an uploaded file stays what it is. Returns the new definition and its uploads,
    each once, in order of appearance.

    Raises:
        DefinitionError: the build function uploaded something that the definition does not read. What
            the SDK uploads of itself may go unread: a configuration for a monitor, say, or a second time
            what the build function reads from ``step.arguments``.
    """
    if not recorded:
        return document, ()
    owners = {owner for entry in recorded for owner in _possible_owners(entry)}
    mentioned = _mentioned(document, owners)
    members: dict[str, list[RecordedObject]] = {}
    lost = []
    for entry in recorded:
        owner = next((uri for uri in _possible_owners(entry) if uri in mentioned), None)
        if owner is None:
            lost.append(entry)
        else:
            members.setdefault(owner, []).append(entry)
    _check_lost(lost, {entry.sha256 for entries in members.values() for entry in entries}, source)
    uploads = {uri: _upload(uri, members[uri]) for uri in mentioned if uri in members}

    def replace(path: JsonPath, text: str) -> str:
        for start, uri in reversed(_uris(text, uploads) if not _OUTPUTS & set(path) else []):
            text = text[:start] + uploads[uri].placeholder_uri + text[start + len(uri) :]
        return text

    unique = {upload.placeholder_uri: upload for upload in uploads.values()}
    return map_strings(document, replace), tuple(unique.values())


def _possible_owners(entry: RecordedObject) -> list[str]:
    """Return the URIs that may stand for an object, the longest first: itself and the folders above."""
    parts = entry.key.split("/")
    return [f"s3://{entry.bucket}/" + "/".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _mentioned(document: Any, owners: Iterable[str]) -> dict[str, None]:
    """Return those of the URIs that the definition reads from, in order of appearance."""
    found: dict[str, None] = {}

    def look(path: JsonPath, text: str) -> str:
        if not _OUTPUTS & set(path):
            found.update((uri, None) for _start, uri in _uris(text, owners))
        return text

    map_strings(document, look)
    return found


def _uris(text: str, known: Iterable[str]) -> list[tuple[int, str]]:
    """Return where known URIs stand in a text; one that goes on is another URI."""
    if "s3://" not in text:
        return []
    found = []
    for start in (match.start() for match in re.finditer("s3://", text)):
        fitting = [
            uri for uri in known if text.startswith(uri, start) and _END_OF_URI.match(text, start + len(uri))
        ]
        if fitting:
            found.append((start, max(fitting, key=len)))
    return found


def _check_lost(lost: Sequence[RecordedObject], kept: Container[str], source: str) -> None:
    for entry in lost:
        if not entry.by_sdk and entry.sha256 not in kept:
            raise DefinitionError(
                f"{source}: s3://{entry.bucket}/{entry.key} was uploaded, but no step reads it from there; "
                "pass the S3 URI that the upload returned to a step's input or to a parameter's default"
            )


def _upload(uri: str, members: Sequence[RecordedObject]) -> Upload:
    prefix = len(uri.split("/", 3)[3]) + 1
    files = tuple(
        UploadedFile(relative_path=entry.key[prefix:], sha256=entry.sha256, staged_path=entry.staged_path)
        for entry in sorted(members, key=lambda entry: entry.key)
    )
    content = "\n".join(
        f"{entry.key[prefix:]}\t{entry.content_sha256 or entry.sha256}"
        for entry in sorted(members, key=lambda entry: entry.key)
    )
    return Upload(
        digest=hashlib.sha256(content.encode()).hexdigest(), name=uri.rsplit("/", 1)[1], files=files
    )
