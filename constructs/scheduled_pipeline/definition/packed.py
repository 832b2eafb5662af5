"""A compiled pipeline as JSON, which is how it comes from the child process and out of the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.findings import Finding
from scheduled_pipeline.definition.model import CompiledPipeline, Upload, UploadedFile

Packed = dict[str, Any]


def pack(compiled: CompiledPipeline) -> Packed:
    """Return a compiled pipeline as what JSON can hold; the files of uploads are named by their content."""
    findings = compiled.findings or ()
    return {
        "body": compiled.body,
        "pipeline_name": compiled.pipeline_name,
        "values_read": sorted(compiled.values_read),
        "findings": [[finding.id, finding.path, finding.message] for finding in findings],
        "uploads": [
            [upload.digest, upload.name, [[file.relative_path, file.sha256] for file in upload.files]]
            for upload in compiled.uploads
        ],
    }


def unpack(packed: Mapping[str, Any], files: Path, source: str) -> CompiledPipeline:
    """Return the compiled pipeline again.

    Args:
        packed: what ``pack`` made.
        files: the folder in which the files of uploads are, each under the SHA-256 of its content.
        source: names it in errors.
    """
    return CompiledPipeline.from_document(
        json.loads(packed["body"]),
        uploads=[
            Upload(
                digest, name, tuple(UploadedFile(path, sha256, files / sha256) for path, sha256 in members)
            )
            for digest, name, members in packed["uploads"]
        ],
        pipeline_name=packed["pipeline_name"],
        values_read=frozenset(packed["values_read"]),
        findings=tuple(Finding(*finding) for finding in packed["findings"]),
        source=source,
    )
