"""The main loop of the child process.

It reads one JSON request a line from standard input and writes one JSON answer a line to what was
its standard output; whatever the SDK or the user prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox import sdk_patches
from scheduled_pipeline.definition.sandbox.answer import complete
from scheduled_pipeline.definition.sandbox.builder import Request, Worker
from scheduled_pipeline.definition.sandbox.perturb import change
from scheduled_pipeline.definition.sandbox.recorder import Recorder


def main(start: Mapping[str, Any]) -> None:
    """Answer requests until they end; what a build function has left running does not keep the process."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    # The import of the SDK makes objects that stay, which the collector would go through again and again: a
    # quarter of its time.
    gc.disable()
    server = Server(_project(start["project"]), start["surroundings"])
    for line in requests:
        answer = server.answer(json.loads(line))
        sys.stdout.flush()
        _write(answers, answer)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
    os._exit(0)


class Server:
    """Compiles, and records what was read meanwhile."""

    def __init__(self, project: Project, surroundings: Mapping[str, Any]) -> None:
        self._worker = Worker()
        # What is wrong with the SDK is told when a build function imports it.
        with contextlib.suppress(Exception):
            sdk_patches.quieten()
        self._project = project
        self._recorder = Recorder(project)
        change(surroundings)

    def answer(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Compile one definition; an error is an answer too."""
        request = Request(**given)
        staging = Path(request.staging)
        with self._recorder.recording():
            built = self._worker.answer(request)
        folders = [str(staging.parent), *self._project.anchors]
        function = f"{request.module}:{request.function}"
        answer = complete(built, function=function, staging=staging, folders=folders)
        if "compiled" in answer:
            answer["reads"] = self._recorder.reads()
        return answer


def _write(stream: IO[str], answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _project(fields: Mapping[str, Any]) -> Project:
    """Return the parent's project, whose tuples have become lists in JSON."""
    return Project(
        anchors=tuple(fields["anchors"]),
        search=tuple(fields["search"]),
        installed=tuple(fields["installed"]),
        ignored=tuple(fields["ignored"]),
        environment=fields["environment"],
        mixed=fields["mixed"],
    )
