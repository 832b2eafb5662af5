"""``Entry``: what the cache knows of one compile, read so that whatever is in the file does no harm.

The checksum tells of damage, not of malice: whoever writes an entry can write its checksum. So all of it is
held against the shape that it is written in.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from scheduled_pipeline.definition.compiler.storage import read_file
from scheduled_pipeline.definition.files import digest
from scheduled_pipeline.definition.findings import KINDS
from scheduled_pipeline.definition.model import CompiledPipeline, PackedPipeline
from scheduled_pipeline.definition.project import Reads
from scheduled_pipeline.definition.typed_json import read_as


@dataclass(frozen=True)
class Entry:
    """What one compile read, and what came of it."""

    reads: Reads
    compiled: PackedPipeline

    @classmethod
    def read(cls, path: Path) -> Entry | None:
        """Return the entry in a file, or None if there is none, or it is not whole."""
        checksum, _, text = (read_file(path) or b"").partition(b"\n")
        if digest(text).encode() != checksum:
            return None
        try:
            return read_as(cls, json.loads(text), "the entry")
        except (ValueError, RecursionError):
            return None

    @property
    def variant(self) -> str:
        """A name that tells it from others of the same request."""
        return digest(json.dumps(dataclasses.asdict(self.reads), sort_keys=True).encode())[:16]

    @property
    def content(self) -> bytes:
        """What ``read`` reads."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return f"{digest(text.encode())}\n{text}".encode()

    @property
    def files(self) -> set[str]:
        """The SHA-256 of each file of its uploads."""
        return {sha256 for upload in self.compiled.uploads for _, sha256 in upload.files}

    def unpack(self, objects: Path, source: str) -> CompiledPipeline | None:
        """Return what was compiled, or None if that is none of what is ever kept.

        Args:
            objects: the folder of the files of uploads.
            source: names it in errors.
        """
        findings = self.compiled.findings
        if findings is None or any(finding.id not in KINDS for finding in findings):
            return None
        try:
            json.dumps(
                dataclasses.asdict(self.compiled), ensure_ascii=False
            ).encode()  # no half of a character
            compiled = self.compiled.unpack(objects, source)
        except (ValueError, RecursionError):
            return None
        return compiled if compiled.body == self.compiled.body else None
