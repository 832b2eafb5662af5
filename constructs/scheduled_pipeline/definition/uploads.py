"""Give what the SDK uploaded a key made from its content, in the definition and in S3.

The SDK's own keys hold hashes of paths and time stamps. They are replaced, so that the same
files have the same key on every machine and on every day, and keep their own names, which
SageMaker shows inside the container.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scheduled_pipeline.definition.model import Upload, UploadedFile


@dataclass(frozen=True)
class RecordedObject:
    """An object that the SDK put into S3, or would have: its place there and its staged content."""

    bucket: str
    key: str
    sha256: str
    staged_path: Path


# An S3 URI with a key, as it stands inside a JSON string.
_S3_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]*/[^\"'\\\s,;]+")


def address_by_content(definition: str, recorded: Sequence[RecordedObject]) -> tuple[str, tuple[Upload, ...]]:
    """Replace each S3 URI of an upload in ``definition`` by one made from the upload's content.

    A recorded object belongs to the longest URI that names it or is a folder above it, so that an
    output location above an uploaded file stays what it is. One that the definition does not
    refer to is left out: the SDK uploads again whatever a build function reads from
    ``step.arguments``. Returns the new text and the uploads, each once, in order of appearance.
    """
    if not recorded:
        return definition, ()
    mentioned = dict.fromkeys(uri.rstrip("/") for uri in _S3_URI.findall(definition))
    members: dict[str, list[RecordedObject]] = {}
    for entry in recorded:
        owner = _longest_owner(entry, mentioned)
        if owner is not None:
            members.setdefault(owner, []).append(entry)
    uploads = {uri: _upload(uri, members[uri]) for uri in mentioned if uri in members}

    def replace(match: re.Match[str]) -> str:
        uri = match.group(0).rstrip("/")
        rest = match.group(0)[len(uri) :]
        return uploads[uri].placeholder_uri + rest if uri in uploads else match.group(0)

    unique = {upload.placeholder_uri: upload for upload in uploads.values()}
    return _S3_URI.sub(replace, definition), tuple(unique.values())


def _longest_owner(entry: RecordedObject, mentioned: Mapping[str, None]) -> str | None:
    parts = entry.key.split("/")
    for length in range(len(parts), 0, -1):
        uri = f"s3://{entry.bucket}/" + "/".join(parts[:length])
        if uri in mentioned:
            return uri
    return None


def _upload(uri: str, members: Sequence[RecordedObject]) -> Upload:
    prefix = len(uri.split("/", 3)[3]) + 1
    files = tuple(
        UploadedFile(relative_path=entry.key[prefix:], sha256=entry.sha256, staged_path=entry.staged_path)
        for entry in sorted(members, key=lambda entry: entry.key)
    )
    content = "\n".join(f"{file.relative_path}\t{file.sha256}" for file in files)
    return Upload(
        digest=hashlib.sha256(content.encode()).hexdigest(), name=uri.rsplit("/", 1)[1], files=files
    )
