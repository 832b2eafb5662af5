"""Where the child process begins, and its main loop.

It reads one request a line from standard input and writes one answer a line to what was its standard output;
whatever the SDK or the user prints goes to standard error. ``protocol`` says what the lines hold.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import IO

from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox import protocol, sdk_patches
from scheduled_pipeline.definition.sandbox.answer import complete
from scheduled_pipeline.definition.sandbox.builder import Worker
from scheduled_pipeline.definition.sandbox.perturb import change
from scheduled_pipeline.definition.sandbox.protocol import (
    Answer,
    Compiled,
    Failed,
    ProtocolError,
    Refused,
    Request,
    Surroundings,
)
from scheduled_pipeline.definition.sandbox.recorder import Recorder


def main(text: str) -> None:
    """Answer requests until they end; what a build function has left running does not keep the process.

    Args:
        text: a ``protocol.Start`` as JSON.
    """
    try:
        start = protocol.read_start(text)
    except ProtocolError as error:
        sys.exit(f"error: {error}")
    requests, answers = _take_pipes()
    # The import of the SDK makes objects that stay, which the collector would go through again and again: a
    # quarter of its time.
    gc.disable()
    server = Server(start.project, start.surroundings)
    for line in requests:
        answer = _answer(server, line)
        sys.stdout.flush()
        answers.write(protocol.write(answer) + "\n")
        answers.flush()
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
    os._exit(0)


def _take_pipes() -> tuple[IO[str], IO[str]]:
    """Return standard input and output, and leave to everybody else an empty file and standard error."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return requests, answers


def _answer(server: Server, line: str) -> Answer:
    try:
        return server.answer(protocol.read_request(line))
    except ProtocolError as error:
        return Refused(str(error))


class Server:
    """Compiles, and records what was read meanwhile."""

    def __init__(self, project: Project, surroundings: Surroundings) -> None:
        self._worker = Worker()
        # What is wrong with the SDK is told when a build function imports it.
        with contextlib.suppress(Exception):
            sdk_patches.quieten()
        self._project = project
        self._recorder = Recorder(project)
        change(surroundings)

    def answer(self, request: Request) -> Answer:
        """Compile one definition; an error is an answer too."""
        with self._recorder.recording():
            built = self._worker.build(request)
        if isinstance(built, Failed):
            return built
        folders = [str(Path(request.staging).parent), *self._project.anchors]
        try:
            compiled = complete(built, function=f"{request.module}:{request.function}", folders=folders)
        except DefinitionError as error:
            return Refused(str(error))
        return Compiled(compiled.pack(), self._recorder.reads())
