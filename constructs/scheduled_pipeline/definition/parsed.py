"""``Outline``: the steps and parameters of a definition, with the place of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# The arguments that hold steps, by the type of the step that has them.
NESTED = {"Condition": ("IfSteps", "ElseSteps"), "ForEach": ("ForEachBody",)}


@dataclass(frozen=True, eq=False)
class PlacedStep:
    """A step and where it stands.

    Attributes:
        name: its name.
        type: its type, for example ``Processing``.
        path: for example ``Steps[2].Arguments.IfSteps[0]``.
        body: the step itself.
        container: the Condition or ForEach step it stands in, or None.
        branch: the argument of the container it stands in: ``IfSteps``, ``ElseSteps`` or ``ForEachBody``.
    """

    name: str
    type: str
    path: str
    body: Mapping[str, Any]
    container: PlacedStep | None = None
    branch: str | None = None

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Its arguments, or none if they are not an object."""
        arguments = self.body.get("Arguments")
        return arguments if isinstance(arguments, Mapping) else {}

    @property
    def containers(self) -> Iterator[tuple[PlacedStep, str]]:
        """The steps around it, from the inside out, each with the branch that it stands in."""
        step = self
        while step.container is not None and step.branch is not None:
            yield step.container, step.branch
            step = step.container

    def loop(self) -> PlacedStep | None:
        """Return the ForEach step around it, or None."""
        return next((step for step, branch in self.containers if branch == "ForEachBody"), None)

    def own_parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the path and value of all that is the step's own and not that of a step inside it."""
        nested = NESTED.get(self.type, ())
        for name, value in self.body.items():
            if name == "Arguments" and isinstance(value, Mapping):
                for argument, content in value.items():
                    if argument not in nested:
                        yield f"{self.path}.Arguments.{argument}", content
            else:
                yield f"{self.path}.{name}", value


@dataclass(frozen=True)
class Outline:
    """What a definition declares; whatever is malformed is left out.

    Attributes:
        steps: all steps, those inside others right after them.
        by_name: the first step of each name.
        parameters: the first parameter of each name, with its path.
    """

    steps: tuple[PlacedStep, ...]
    by_name: Mapping[str, PlacedStep]
    parameters: Mapping[str, tuple[str, Mapping[str, Any]]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Outline:
        """Read a definition."""
        steps = tuple(_placed(document.get("Steps"), "Steps", None, None))
        parameters: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for index, entry in objects(document.get("Parameters")):
            if isinstance(entry.get("Name"), str):
                parameters.setdefault(entry["Name"], (f"Parameters[{index}]", entry))
        by_name = {step.name: step for step in reversed(steps)}
        return cls(steps, by_name, parameters)

    def place_names(self, path: str) -> tuple[str, ...]:
        """Return the ways to write a path: with indexes, and with names, as in ``Steps.Train.Arguments``."""
        found = [(step.path, f"Steps.{step.name}") for step in self.steps]
        found += [(at, f"Parameters.{name}") for name, (at, _) in self.parameters.items()]
        owners = [(at, name) for at, name in found if path == at or path.startswith((f"{at}.", f"{at}["))]
        if not owners:
            return (path,)
        at, name = max(owners, key=lambda owner: len(owner[0]))
        return path, name + path[len(at) :]


def _placed(
    steps: object, path: str, container: PlacedStep | None, branch: str | None
) -> Iterator[PlacedStep]:
    for index, body in objects(steps):
        if not isinstance(body.get("Name"), str) or not isinstance(body.get("Type"), str):
            continue
        step = PlacedStep(body["Name"], body["Type"], f"{path}[{index}]", body, container, branch)
        yield step
        for argument in NESTED.get(step.type, ()):
            inside = step.arguments.get(argument)
            yield from _placed(inside, f"{step.path}.Arguments.{argument}", step, argument)


def objects(entries: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects in what should be a list of them, each with its index."""
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, Mapping):
            yield index, entry


def is_expression(value: object) -> bool:
    """Say whether a value is ``{"Get": ...}`` or ``{"Std:...": ...}``."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return bool(name == "Get" or name.startswith("Std:"))
