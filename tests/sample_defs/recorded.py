"""Runs a function in a process that records what it reads; it needs no SDK."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.model import PackedPipeline
from scheduled_pipeline.definition.project import Project, Reads
from scheduled_pipeline.definition.typed_json import read_as

_RUN = """
import dataclasses, importlib, json, site, subprocess, sys
from pathlib import Path
given = json.loads(sys.argv[1])
sys.path[:0] = given["path"][-1:]
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox.reads.recorder import Recorder
from scheduled_pipeline.definition.typed_json import read_as
for folder in given["sites"]:
    site.addsitedir(folder)
sys.path[:] = given["path"]
recorder = Recorder(read_as(Project, given["project"], "the project"))
recorder.know_modules()
with recorder.recording():
    text = str(importlib.import_module("defs").text())
reads = recorder.reads()
sys.stdout.write("\\n" + json.dumps([text, reads and dataclasses.asdict(reads)]))
"""

REQUEST = CompileRequest(
    function=FunctionReference("defs", "text"), region="eu-west-1", partition="aws", pipeline_name="lab"
)
MACHINERY = [
    entry for entry in sys.path if "-packages" in entry or entry.startswith(str(Path(os.__file__).parent))
]
CONSTRUCTS = str(Path(sys.modules["scheduled_pipeline"].__path__[0]).parent)


@dataclass(frozen=True)
class RecordedProject:
    """A project whose module ``defs`` has a function ``text``, which says something that depends on files.

    Attributes:
        folder: the working directory.
    """

    folder: Path

    def write(self, path: str, text: str) -> Path:
        """Write a file; a path may be absolute."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8")
        return target

    def define(self, code: str) -> None:
        """Write ``defs``, given what ``text()`` returns, or the whole of it."""
        before = "import sys\nfrom pathlib import Path\n\nHERE = Path(__file__).parent\n\n"
        self.write("defs.py", before + (code if "def text" in code else f"def text():\n    return {code}\n"))

    def path(self, *entries: str) -> list[str]:
        """Return a ``sys.path``: the project, ``entries`` of it, and "..." for all that is installed."""
        given = list(entries) if "..." in entries else [*entries, "..."]
        folders = [[str(self.folder / entry)] if entry != "..." else MACHINERY for entry in given]
        return [str(self.folder), *(entry for several in folders for entry in several), CONSTRUCTS]

    def project(self, path: list[str]) -> Project:
        """Return the project that a process with that ``sys.path`` belongs to."""
        return Project.of(str(self.folder), path, [str(self.cache.folder), str(self.folder / "scratch")])

    def run(self, path: list[str]) -> tuple[str, Reads | None]:
        """Return what ``text()`` says in a new process, and what it has read."""
        sites = [entry for entry in path if entry.endswith("site-packages") and entry not in MACHINERY]
        given = {"path": path, "sites": sites, "project": dataclasses.asdict(self.project(path))}
        done = subprocess.run(
            [sys.executable, "-s", "-c", _RUN, json.dumps(given)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        text, reads = json.loads(done.stdout.splitlines()[-1])
        return text, read_as(Reads, reads, "the reads") if reads else None

    @property
    def cache(self) -> CompiledCache:
        """The cache, in the project."""
        return CompiledCache(self.folder / ".scheduled-pipeline")

    def keep(self, path: list[str]) -> tuple[str, bool]:
        """Run ``text()`` and keep what came of it; return that, and whether it can be kept."""
        text, reads = self.run(path)
        if reads is not None:
            self.cache.store(REQUEST, self.project(path), reads, _definition(text))
        return text, reads is not None

    def found(self, path: list[str]) -> Any:
        """Return what the cache has for a new process with that ``sys.path``, or None."""
        compiled = self.cache.find(REQUEST, self.project(path))
        return None if compiled is None else compiled.document["Steps"][0]["Arguments"]["ErrorMessage"]


def _definition(text: str) -> Any:
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": text}}
    body = json.dumps({"Version": "2020-12-01", "Steps": [step]}, indent=2)
    return PackedPipeline(body, "lab", (), (), findings=()).unpack(Path(), "a test")
