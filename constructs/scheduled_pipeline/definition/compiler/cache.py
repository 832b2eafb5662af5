"""``CompiledCache``: compiled definitions by the content of everything they were made from.

An entry is found by a digest of the request, the Python version, all installed distributions and this
package. It says what the build function read, by content, and holds only if all of that is the same. Nothing
depends on the time of a change or on where the project lies, so a folder that was restored is as good.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.model import CompiledPipeline, PackedPipeline
from scheduled_pipeline.definition.project import Project, Reads, digest
from scheduled_pipeline.definition.typed_json import ShapeError, read_as

FOLDER = ".scheduled-pipeline"
"""Where the cache is in the working directory, unless it is told otherwise."""

_LAST = "last.json"


@dataclass(frozen=True)
class _Entry:
    reads: Reads
    compiled: PackedPipeline


@dataclass(frozen=True)
class CompiledCache:
    """A folder of entries and of the files of uploads; any number of processes may use it at once.

    Attributes:
        folder: where it is; made when something is stored.
        max_entries: more than these are removed, those not used for the longest time first.
        max_bytes: the same for the size of the files of uploads.
        grace_seconds: a file of an upload that was used so recently is kept, as another synth may be about
            to copy it.
    """

    folder: Path
    max_entries: int = 4000
    max_bytes: int = 512 * 1024 * 1024
    grace_seconds: float = 3600

    def find(self, request: CompileRequest, project: Project) -> CompiledPipeline | None:
        """Return what the request was compiled to, if it would be compiled to the same again."""
        if project.mixed:
            return None
        importable: list[list[str]] | None = None
        for path in _newest_first(self._entries / _key(request, project)):
            entry = _read(path)
            if entry is None:
                continue
            importable = importable or project.importable()
            if not _holds(entry.reads, project, importable) or not self._has_files(entry.compiled):
                continue
            with contextlib.suppress(OSError):
                os.utime(path)
            return entry.compiled.unpack(self.objects, f"the build function {request.function}")
        return None

    def store(
        self, request: CompileRequest, project: Project, reads: Reads, compiled: CompiledPipeline
    ) -> None:
        """Keep what a request was compiled to.

        Args:
            request: what was asked for.
            project: what the names in ``reads`` refer to.
            reads: what was read, from the recorder.
            compiled: what came of it, with its findings.

        Raises:
            OSError: the folder cannot be written to.
        """
        contents = {file.sha256: file.staged_path for upload in compiled.uploads for file in upload.files}
        too_large = sum(path.stat().st_size for path in contents.values()) > self.max_bytes // 4
        if project.mixed or too_large:
            return
        self._prepare()
        for sha256, path in contents.items():
            _write(self.objects / sha256, path.read_bytes())
        entry = dataclasses.asdict(_Entry(reads, compiled.pack()))
        text = json.dumps(entry, sort_keys=True)
        variant = digest(json.dumps(entry["reads"], sort_keys=True).encode())[:16]
        folder = self._entries / _key(request, project)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{variant}.json", f"{digest(text.encode())}\n{text}".encode())

    def remember(self, requests: Iterable[CompileRequest]) -> None:
        """Note what a synth asked for, where there is a cache.

        Raises:
            OSError: the folder cannot be written to.
        """
        if self.objects.is_dir():
            _write(self.folder / _LAST, json.dumps([request.text for request in requests]).encode())

    def remembered(self) -> list[CompileRequest]:
        """Return what the last synth asked for, or nothing if that is not known."""
        try:
            return [CompileRequest.from_text(text) for text in json.loads((self.folder / _LAST).read_bytes())]
        except (OSError, TypeError, ValueError):
            return []

    def trim(self) -> None:
        """Remove what was not used for the longest time, until the cache is within its bounds."""
        entries = sorted(_aged(self._entries.glob("*/*.json")))
        for _, _, path in entries[: max(0, len(entries) - self.max_entries)]:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # fails unless it is empty
        objects = sorted(_aged(self.objects.glob("*")))
        size = sum(bytes_ for _, bytes_, _ in objects)
        for used, bytes_, path in objects:
            if size <= self.max_bytes or used > time.time() - self.grace_seconds:
                return
            path.unlink(missing_ok=True)
            size -= bytes_

    @property
    def objects(self) -> Path:
        """Where the files of uploads are, each under the SHA-256 of its content."""
        return self.folder / "objects"

    @property
    def _entries(self) -> Path:
        return self.folder / "entries"

    def _prepare(self) -> None:
        self.objects.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            _write(ignore, b"*\n")

    def _has_files(self, compiled: PackedPipeline) -> bool:
        """Whether the files of the uploads are there and whole; they count as used from now on."""
        for sha256 in _files(compiled):
            path = self.objects / sha256
            try:
                if digest(path.read_bytes()) != sha256:
                    return False
                os.utime(path)
            except OSError:
                return False
        return True


def _key(request: CompileRequest, project: Project) -> str:
    return digest(f"{request.text}\n{project.environment}".encode())


def _holds(reads: Reads, project: Project, importable: list[list[str]]) -> bool:
    """Whether all that was read is the same, and nothing new could be imported in the place of something."""
    known = reads.importable
    if len(known) != len(importable):
        return False
    if any(set(now) - set(then) for now, then in zip(importable, known, strict=True)):
        return False
    try:
        return all(
            project.state(project.path(name), listed=state.startswith("listing")) == state
            for name, state in reads.states.items()
        )
    except LookupError:
        return False


def _files(compiled: PackedPipeline) -> set[str]:
    return {sha256 for upload in compiled.uploads for _, sha256 in upload.files}


def _newest_first(folder: Path) -> list[Path]:
    """Return the entries of a request: one for each state of the project, as of two branches."""
    return [path for _, _, path in sorted(_aged(folder.glob("*.json")), reverse=True)]


def _aged(paths: Iterator[Path]) -> Iterator[tuple[float, int, Path]]:
    for path in paths:
        with contextlib.suppress(OSError):  # another synth may have removed it
            found = path.stat()
            yield found.st_mtime, found.st_size, path


def _read(path: Path) -> _Entry | None:
    """Return an entry, or None if it is not whole; what is broken is removed."""
    try:
        checksum, _, text = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if digest(text).encode() == checksum:
        with contextlib.suppress(ShapeError):
            return read_as(_Entry, json.loads(text), "the entry")
    with contextlib.suppress(OSError):
        path.unlink()
    return None


def _write(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
