"""``Finding``: one thing in a pipeline definition that SageMaker would refuse."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Every kind of finding, with what it means. The ids are part of the interface: `suppress` names them.
KINDS: Mapping[str, str] = {
    "bad-default": "the default of a parameter is not of its type, or is not in its enum",
    "bad-expression": "an expression is not of the form that SageMaker knows",
    "bad-length": "a string, a list or a map is too short or too long",
    "bad-pattern": "a string does not have the form that the API asks for",
    "cycle": "steps wait for each other",
    "duplicate-parameter": "two parameters have the same name",
    "duplicate-step-name": "two steps have the same name, or a name that the copies of a ForEach body get",
    "fail-dependency": "a step waits for a Fail step, which ends the execution",
    "foreach-reference": "the steps of a ForEach body are referred to from outside, or their item is",
    "missing-member": "a required member is missing",
    "never-runs": "a step waits for both branches of a condition, of which only one runs",
    "nested-step": "a step of this type cannot stand inside another step",
    "not-one-member": "of a group of members exactly one must be given",
    "out-of-range": "a number is too small or too large",
    "unknown-member": "the API, or the definition's format, has no member of this name",
    "unknown-output": "a step has no input, output or channel of this name",
    "unknown-parameter": "an expression refers to a parameter that is not declared",
    "unknown-property": "a step of this type has no such property",
    "unknown-property-file": "a step declares no property file of this name",
    "unknown-reference": "an expression refers to something that does not exist",
    "unknown-step": "an expression, or DependsOn, refers to a step that does not exist",
    "unknown-step-type": "SageMaker Pipelines has no such type of step",
    "unknown-value": "a value is not one of those that are allowed",
    "writes-to-assets": "an output goes where the files that the construct uploads are",
    "wrong-type": "a value, or what an expression refers to, is of the wrong type",
}

# So many allowed values are listed in a message; of longer lists only the nearest is named.
_LISTED = 12


@dataclass(frozen=True)
class Finding:
    """One thing in a definition that SageMaker would refuse.

    Attributes:
        id: the kind of finding, a key of ``KINDS``.
        path: where it is, for example ``Steps[2].Arguments.ResourceConfig.InstanceType``.
        message: what is wrong: the step, the value and what is allowed.
    """

    id: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.id}]"


@dataclass
class Report:
    """Collects findings, each once, in the order in which they are found."""

    findings: dict[Finding, None] = field(default_factory=dict)

    def add(self, kind: str, path: str, message: str, *, step: str | None = None) -> None:
        """Add a finding; ``step`` names the step that it is in."""
        assert kind in KINDS
        prefix = "" if step is None else f"step {step!r}: "
        self.findings[Finding(kind, path, prefix + message)] = None


@dataclass(frozen=True)
class Suppressions:
    """The findings that the user accepts, by kind and place."""

    everywhere: frozenset[str]
    places: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Suppressions:
        """Read entries of the form ``id`` or ``id:path``.

        Raises:
            ValueError: there is no finding of that id, or the path is empty.
            TypeError: one string was given in the place of a list of them.
        """
        if isinstance(entries, str):
            raise TypeError(
                f"suppress_findings must be a list of findings such as 'unknown-member', got {entries!r}"
            )
        everywhere, places = set(), []
        for entry in entries:
            kind, colon, place = entry.partition(":")
            if kind not in KINDS:
                raise ValueError(f"suppress_findings: there is no finding {kind!r}; {known(kind, KINDS)}")
            if colon and not place:
                raise ValueError(f"suppress_findings: {entry!r} has no path after the colon")
            if colon:
                places.append((kind, place))
            else:
                everywhere.add(kind)
        return cls(frozenset(everywhere), tuple(places))

    def cover(self, finding: Finding, names: Sequence[str]) -> bool:
        """Say whether a finding is accepted; ``names`` are the ways in which its place can be written."""
        return finding.id in self.everywhere or any(
            kind == finding.id and any(_is_at_or_below(name, place) for name in names)
            for kind, place in self.places
        )


def known(name: object, names: Iterable[str]) -> str:
    """Say which of ``names`` may have been meant, or list them when they are few."""
    allowed = list(names)
    nearest = nearest_match(name, allowed)
    hint = f"did you mean {nearest!r}? " if nearest else ""
    if len(allowed) > _LISTED:
        return hint.rstrip() or f"none of the {len(allowed)} there are is like it"
    return f"{hint}there is {', '.join(allowed) or 'none'}"


def nearest_match(name: object, names: Iterable[str]) -> str | None:
    """Return the one of ``names`` that is most like ``name``, if one is like it at all."""
    matches = difflib.get_close_matches(str(name), list(names), n=1)
    return matches[0] if matches else None


def _is_at_or_below(path: str, place: str) -> bool:
    return path.startswith(place) and path[len(place) : len(place) + 1] in {"", ".", "["}
