"""What the process of the app and its child send to each other: one JSON object a line.

``Start`` comes with the child's command line. After it each ``Request`` has one ``Answer``: ``Compiled``,
``Failed``, ``Refused``, ``Ended`` or, if a ``Cancel`` has followed it, ``Cancelled``. Every message has the
version of the protocol in it, and both sides check it: the child may find another installation of this
package than the one that started it. See docs/decisions/0013-the-protocol.md.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.model import PackedPipeline
from scheduled_pipeline.definition.project import Project, Reads
from scheduled_pipeline.definition.typed_json import ShapeError, read_as

VERSION = 3
"""Goes up with each change of what a message holds or means."""

NAMESPACE = "network namespace"
FILTER = "filter of system calls"
KERNEL_GUARDS = (NAMESPACE, FILTER)
"""What a kernel may have to keep a process from the network, beside the audit hook of Python."""

_PACKAGE = Path(__file__).parents[2]


class ProtocolError(Exception):
    """A message is of another version of the protocol, or does not have its shape."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is to be different in one child from another, which ``verify`` asks for.

    Attributes:
        clock_offset: so many seconds are added to the clock.
        reverse_folders: whether folders list their entries from the last to the first.
        hash_seed: Python's ``PYTHONHASHSEED``, which decides about the order of sets.
    """

    clock_offset: float = 0
    reverse_folders: bool = False
    hash_seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a child is started with.

    Attributes:
        path: its ``sys.path``.
        project: the project, whose modules it imports and whose files it records.
        surroundings: what is to be different in it.
        forks: whether each definition gets a fork of the child; else the child is for one definition.
        guards: which of ``KERNEL_GUARDS`` it tries.
    """

    path: tuple[str, ...]
    project: Project
    surroundings: Surroundings
    forks: bool
    guards: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A definition that is wanted.

    Attributes:
        module: the module of the build function.
        function: its name in there.
        region: as in ``PipelineContext``.
        partition: as there.
        pipeline_name: as there.
        values: as there.
        staging: the folder for the files of uploads, each under the SHA-256 of its content.
        deadline: when a fork is ended, as ``time.monotonic`` has it in every process of a Linux machine.
    """

    module: str
    function: str
    region: str
    partition: str
    pipeline_name: str
    values: Mapping[str, Value]
    staging: str
    deadline: float


@dataclass(frozen=True)
class Cancel:
    """Nobody waits for the answer to the request before this; without such a request it means nothing."""


@dataclass(frozen=True)
class Guard:
    """What has kept a definition from the network, beside the audit hook of Python.

    Attributes:
        missing: those of ``KERNEL_GUARDS`` that have not, each with the reason.
    """

    missing: Mapping[str, str]

    def __str__(self) -> str:
        """Name the guards, and say why others are not among them."""
        there = [name for name in KERNEL_GUARDS if name not in self.missing]
        reasons = [f"no {name}, because {reason}" for name, reason in self.missing.items()]
        return "; ".join([" and ".join(there) or "audit hook only", *reasons])


@dataclass(frozen=True)
class Compiled:
    """The definition was made.

    Attributes:
        pipeline: what came of it, not validated yet.
        reads: what the build function has read, or None if nobody knows.
        guard: what has kept it from the network.
    """

    pipeline: PackedPipeline
    reads: Reads | None
    guard: Guard


@dataclass(frozen=True)
class Failed:
    """The build function could not be run to its end; ``error`` goes on from its name."""

    error: str


@dataclass(frozen=True)
class Refused:
    """The build function ran, but what it made is not taken; ``reason`` is a whole sentence."""

    reason: str


@dataclass(frozen=True)
class Ended:
    """The process of this definition ended, or was ended, before it was done.

    Attributes:
        how: goes on from what names the process.
        late: whether it was ended because its time was over.
        place: the user's line that it was at, as far as that is known.
    """

    how: str
    late: bool = False
    place: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The work was ended, as a ``Cancel`` came first."""


Answer = Compiled | Failed | Refused | Ended | Cancelled
_KINDS: dict[type[Any], str] = {
    Start: "start",
    Request: "request",
    Cancel: "cancel",
    Compiled: "compiled",
    Failed: "failed",
    Refused: "refused",
    Ended: "ended",
    Cancelled: "cancelled",
}


def write(message: Start | Request | Cancel | Answer) -> str:
    """Return a message as a line of JSON, without the end of the line."""
    content = dataclasses.asdict(message)
    return json.dumps({"protocol": VERSION, "kind": _KINDS[type(message)], **content})


def read_start(text: str) -> Start:
    """Read what ``write`` made of a ``Start``.

    Raises:
        ProtocolError: it is none, or of another version.
    """
    start: Start = _read(text, "the start message", (Start,))
    return start


def read_request(text: str) -> Request | Cancel:
    """Read what ``write`` made of a ``Request`` or a ``Cancel``.

    Raises:
        ProtocolError: it is none, or of another version.
    """
    request: Request | Cancel = _read(text, "the request", (Request, Cancel))
    return request


def read_answer(text: str) -> Answer:
    """Read what ``write`` made of an ``Answer``.

    Raises:
        ProtocolError: it is none, or of another version.
    """
    answer: Answer = _read(text, "the answer", (Compiled, Failed, Refused, Ended, Cancelled))
    return answer


def _read(text: str, place: str, kinds: tuple[type[Any], ...]) -> Any:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"{place} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ProtocolError(f"{place} must be an object, got {content!r:.80}")
    version, named = content.pop("protocol", None), content.pop("kind", None)
    if version != VERSION:
        raise ProtocolError(
            f"{place} is of version {version!r} of the protocol, but the scheduled_pipeline in {_PACKAGE} "
            f"speaks version {VERSION}; the app and its child process need the same version of it"
        )
    kind = next((kind for kind in kinds if _KINDS[kind] == named), None)
    if kind is None:
        known = " or ".join(repr(_KINDS[kind]) for kind in kinds)
        raise ProtocolError(f"{place} must be of kind {known}, got {named!r:.80}")
    try:
        return read_as(kind, content, place)
    except ShapeError as error:
        raise ProtocolError(str(error)) from None
