"""What an expression in a definition will be when the pipeline runs, as far as the definition says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.definition.parsed import Outline

_TOKEN = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
_BUCKET = re.compile(r"s3://[^/]+/")
# The member by which `list['name']` finds its entry.
_KEYS = ("OutputName", "InputName", "ChannelName")
# Properties that are not among the arguments of their step, and the argument below whose place they are.
_WRITTEN_BELOW: Mapping[tuple[str, ...], str] = {
    ("ModelArtifacts", "S3ModelArtifacts"): ".OutputDataConfig.S3OutputPath",
    ("CalculatedBaselineConstraints",): ".ProcessingOutputConfig.Outputs[0].S3Output.S3Uri",
    ("CalculatedBaselineStatistics",): ".ProcessingOutputConfig.Outputs[0].S3Output.S3Uri",
}
# No definition that SageMaker takes has references so deep; one with a cycle has.
_DEEPEST = 30


@dataclass(frozen=True)
class Resolved:
    """The text of an expression.

    Attributes:
        text: all of it, or its beginning.
        complete: whether it is all of it.
        chosen: whether who starts the pipeline, or an earlier step, decides on it.
    """

    text: str
    complete: bool = True
    chosen: bool = False


_NOTHING = Resolved("", complete=False, chosen=True)


@dataclass(frozen=True)
class Place:
    """A place in S3: all keys of a bucket that begin with a prefix.

    Attributes:
        bucket: its name.
        key: an object's key, or what keys begin with.
        complete: whether ``key`` is all of it; if not, something follows that only a run knows.
    """

    bucket: str
    key: str
    complete: bool


@dataclass(frozen=True)
class Resolver:
    """Resolves the expressions of one definition.

    Attributes:
        outline: its steps and parameters.
        pipeline_name: what ``Execution.PipelineName`` is, or None if that is not known.
        given: what one start gives for parameters, None for what only that start knows; the others are their
            defaults. Default: any start counts, which may choose any value.
    """

    outline: Outline
    pipeline_name: str | None = None
    given: Mapping[str, str | None] | None = None

    def text(self, value: object) -> Resolved:
        """Return what a string, a number or an expression will be.

        A parameter is its default where it says what a value begins with: the scheme and the bucket of a
        URI, or all of it. Behind the bucket the text ends where a parameter begins.
        """
        return self._text(value, "", 0)

    def place(self, value: object) -> tuple[Place | None, bool]:
        """Return the place in S3 that a URI names, if that is known, and whether a run may choose another."""
        resolved = self.text(value)
        match = re.match(r"s3://([^/*?]+)(/|\Z)(.*)", resolved.text, re.DOTALL)
        if match is None or not (resolved.complete or match[2]):
            return None, resolved.chosen
        return Place(match[1], match[3], resolved.complete), resolved.chosen

    def literal(self, value: object) -> str | None:
        """Return the whole text of a value, or None if only a run knows it."""
        resolved = self.text(value)
        return resolved.text if resolved.complete and resolved.text else None

    def _text(self, value: object, before: str, depth: int) -> Resolved:
        if isinstance(value, str):
            return Resolved(value)
        if isinstance(value, int | float):
            return Resolved(str(value))
        if isinstance(value, Mapping) and depth < _DEEPEST:
            if isinstance(value.get("Get"), str):
                return self._get(value["Get"], before, depth + 1)
            join = value.get("Std:Join")
            if isinstance(join, Mapping) and isinstance(join.get("Values"), list):
                return self._join(str(join.get("On", "")), join["Values"], before, depth + 1)
        return _NOTHING

    def _join(self, separator: str, values: list[Any], before: str, depth: int) -> Resolved:
        text, chosen = "", False
        for index, value in enumerate(values):
            text += separator if index else ""
            part = self._text(value, before + text, depth)
            text += part.text
            chosen = chosen or part.chosen
            if not part.complete:
                return Resolved(text, complete=False, chosen=chosen)
        return Resolved(text, chosen=chosen)

    def _parameter(self, name: str, before: str) -> Resolved:
        _, declared = self.outline.parameters.get(name, ("", {}))
        default = declared.get("DefaultValue")
        if self.given is not None:
            value = self.given.get(name, default)
            return Resolved(str(value)) if isinstance(value, str | int | float) else _NOTHING
        known = isinstance(default, str | int | float) and not _BUCKET.match(before)
        return Resolved(str(default), chosen=True) if known else _NOTHING

    def _get(self, reference: str, before: str, depth: int) -> Resolved:
        area, _, rest = reference.partition(".")
        if area == "Parameters":
            return self._parameter(rest, before)
        if reference == "Execution.PipelineName" and self.pipeline_name is not None:
            return Resolved(self.pipeline_name)
        if area == "Execution":
            return Resolved("", complete=False)
        name, path = _step_and_path(rest)
        step = self.outline.by_name.get(name)
        if area != "Steps" or step is None:
            return _NOTHING
        tokens = list(_tokens(path))
        below = _WRITTEN_BELOW.get(tuple(map(str, tokens)))
        if below is not None:
            folder = self._text(_find(step.arguments, list(_tokens(below))), before, depth)
            end = "/" if folder.complete and not folder.text.endswith("/") else ""
            return Resolved(folder.text + end, complete=False, chosen=folder.chosen)
        found = _find(step.arguments, tokens)
        return _NOTHING if found is None else self._text(found, before, depth)


def _step_and_path(rest: str) -> tuple[str, str]:
    match = re.match(r"([A-Za-z0-9_\-]*)(.*)", rest, re.DOTALL)
    assert match is not None  # it matches anything
    return match[1], match[2]


def _tokens(path: str) -> Iterator[str | int]:
    for member, index, key in _TOKEN.findall(path):
        yield int(index) if index else member or key


def _find(value: object, tokens: list[str | int]) -> object:
    for token in tokens:
        if isinstance(value, Mapping):
            value = value.get(str(token))
        elif isinstance(value, list) and isinstance(token, int):
            value = value[token] if token < len(value) else None
        elif isinstance(value, list):
            entries = [one for one in value if isinstance(one, Mapping)]
            value = next((one for one in entries if token in map(one.get, _KEYS)), None)
        else:
            return None
    return value


def members(value: object, parents: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield all members of all objects in a value: the names above it, its own name, and what it is."""
    if isinstance(value, Mapping):
        for name, content in value.items():
            yield parents, name, content
            yield from members(content, (*parents, name))
    elif isinstance(value, list):
        for content in value:
            yield from members(content, parents)
