"""``CompiledCache``: compiled definitions by the content of everything they were made from.

An entry is found by a digest of the request, the Python version, all installed distributions and this
package. It says what the build function read, by content, and holds only if all of that is the same. Nothing
depends on the time of a change or on where the project lies, so a folder that was restored is as good.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scheduled_pipeline.definition.compiler import storage
from scheduled_pipeline.definition.compiler.entry import Entry
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.files import digest
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.project import Project, Reads

FOLDER = ".scheduled-pipeline"
"""Where the cache is in the working directory, unless it is told otherwise."""

_LAST = "last.json"


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
        if project.mixed or self._leads_elsewhere():
            return None
        importable: list[list[str]] | None = None
        for path in self._entries_of(request, project):
            entry = Entry.read(path)
            source = f"the build function {request.function}"
            compiled = None if entry is None else entry.unpack(self.objects, source)
            if entry is None or compiled is None:
                storage.remove(path)
                continue
            importable = importable or project.importable()
            if _holds(entry.reads, project, importable) and self._has_files(entry):
                storage.touch(path)
                return compiled
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
            OSError: the folder cannot be written to, or what is in it is a link to another folder.
        """
        folder = self._folder_of(request, project)
        if self._leads_elsewhere(folder):
            raise OSError(f"{self.folder} has links to other folders in it; delete it")
        contents = {file.sha256: file.staged_path for upload in compiled.uploads for file in upload.files}
        too_large = sum(path.stat().st_size for path in contents.values()) > self.max_bytes // 4
        if project.mixed or too_large:
            return
        self._prepare()
        for sha256, path in contents.items():
            storage.write_file(self.objects / sha256, path.read_bytes())
        entry = Entry(reads, compiled.pack())
        storage.write_file(folder / f"{entry.variant}.json", entry.content)

    def remember(self, requests: Iterable[CompileRequest]) -> None:
        """Note what a synth asked for, where there is a cache.

        Raises:
            OSError: the folder cannot be written to.
        """
        if self.objects.is_dir():
            asked = json.dumps([request.text for request in requests])
            storage.write_file(self.folder / _LAST, asked.encode())

    def remembered(self, project: Project) -> list[CompileRequest]:
        """Return what the last synth asked for, or nothing if that is not known.

        Whoever can write to the folder can write that, too. So it names only functions of the project's own
        modules, or such as there is an entry for: who can write that decides what is deployed, anyway.
        """
        return [
            request
            for request in _requests(storage.read_file(self.folder / _LAST))
            if project.has_module(request.function.module)
            or any(Entry.read(path) for path in self._entries_of(request, project))
        ]

    def trim(self) -> None:
        """Remove what was not used for the longest time, until the cache is within its bounds.

        And what a process that was killed has left of its writing.
        """
        if self._leads_elsewhere():
            return
        folders = storage.folders_in(self._entries)
        for folder in (self.folder, self.objects, *folders):
            storage.remove_unfinished(folder, self.grace_seconds)
        entries = sorted(found for folder in folders for found in storage.files_in(folder, ".json"))
        for entry in entries[: max(0, len(entries) - self.max_entries)]:
            storage.remove(entry.path)
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()  # fails unless it is empty
        objects = storage.files_in(self.objects)
        size = sum(found.size for found in objects)
        for found in objects:
            if size <= self.max_bytes or found.used > time.time() - self.grace_seconds:
                return
            storage.remove(found.path)
            size -= found.size

    @property
    def objects(self) -> Path:
        """Where the files of uploads are, each under the SHA-256 of its content."""
        return self.folder / "objects"

    @property
    def _entries(self) -> Path:
        return self.folder / "entries"

    def _folder_of(self, request: CompileRequest, project: Project) -> Path:
        return self._entries / _key(request, project)

    def _entries_of(self, request: CompileRequest, project: Project) -> list[Path]:
        """Return the entries of a request, the newest first: one for each state of the project."""
        folder = self._folder_of(request, project)
        if self._leads_elsewhere(folder):
            return []
        return [found.path for found in reversed(storage.files_in(folder, ".json"))]

    def _leads_elsewhere(self, *folders: Path) -> bool:
        """Whether somebody has put a link in the place of a folder: what it leads to is not ours to touch."""
        # Unlike pathlib's in Python 3.11, this is False where one may not look; nor is anything found there.
        return any(os.path.islink(folder) for folder in (self._entries, self.objects, *folders))  # noqa: PTH114

    def _prepare(self) -> None:
        self.objects.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            storage.write_file(ignore, b"*\n")

    def _has_files(self, entry: Entry) -> bool:
        """Whether the files of the uploads are there and whole; they count as used from now on."""
        for sha256 in entry.files:
            content = storage.read_file(self.objects / sha256)
            if content is None or digest(content) != sha256:
                return False
            storage.touch(self.objects / sha256)
        return True


def is_own(name: str) -> bool:
    """Whether what has this name, in the folder of a cache, is the cache's own."""
    return name in {"entries", "objects", _LAST} or name.startswith(".")


def _requests(content: bytes | None) -> Iterator[CompileRequest]:
    """Yield the requests in what ``remember`` wrote; what is none is passed over."""
    try:
        texts = json.loads(content or b"[]")
    except (ValueError, RecursionError):
        return
    for text in texts if isinstance(texts, list) else []:
        with contextlib.suppress(TypeError, ValueError, RecursionError):
            yield CompileRequest.from_text(text)


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
