"""What lies behind ``Steps.<name>.``: the properties of a step, by its type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scheduled_pipeline.definition.findings import known
from scheduled_pipeline.definition.parsed import Outline, PlacedStep
from scheduled_pipeline.definition.step_types.table import step_type
from scheduled_pipeline.definition.validation import service_models
from scheduled_pipeline.definition.validation.service_models import Located

_TOKEN = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


class PropertyError(Exception):
    """There is no such property; ``kind`` is the id of the finding."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def property_type(outline: Outline, step: PlacedStep, path: str) -> str | None:
    """Return the type of the property behind ``Steps.<name>``, or None if it is not known.

    Args:
        outline: the definition.
        step: the step that is referred to.
        path: what follows its name, for example ``.ModelArtifacts.S3ModelArtifacts``.

    Raises:
        PropertyError: there is no such property.
    """
    tokens = _tokens(path)
    if step.type == "ForEach" and tokens[:1] in (["IterationOutputs"], ["Selected"]):
        return _iteration_output(outline, step, tokens)
    roots = step_type(step.type).properties
    if roots is None:
        return None
    if not roots:
        raise PropertyError("unknown-property", f"a {step.type} step has no properties")
    _check_declared(step, tokens)
    root, rest = str(tokens[0]), tokens[1:]
    found = [service_models.find(name) for name in roots]
    # Where two answers have the member, the last is the one that belongs to pipelines.
    for located in reversed(found):
        if root in located.shape["members"]:
            return _descend(_member(located, root), [root], rest)
    names = [name for located in found for name in located.shape["members"]]
    raise PropertyError(
        "unknown-property", f"a {step.type} step has no property {root!r}; {known(root, names)}"
    )


def _tokens(path: str) -> list[str | int]:
    tokens: list[str | int] = []
    position = 0
    while position < len(path):
        match = _TOKEN.match(path, position)
        if match is None:
            raise PropertyError("unknown-reference", f"{path[position:]!r} is not .Member, [0] or ['name']")
        member, index, *keys = match.groups()
        key = next((text for text in keys if text is not None), "")
        tokens.append(int(index) if index is not None else member if member is not None else f"[{key}")
        position = match.end()
    if not tokens or not isinstance(tokens[0], str) or tokens[0].startswith("["):
        raise PropertyError("unknown-reference", "a property has to follow the step's name")
    return tokens


def _descend(located: Located, done: Sequence[str | int], rest: Sequence[str | int]) -> str | None:
    kind = located.shape["type"]
    if kind == "any":
        return None
    if not rest:
        return None if kind == "scalar" else str(kind)
    token, *rest = rest
    where = "".join(_written(part) for part in done).removeprefix(".")
    is_key = isinstance(token, int) or token.startswith("[")
    if kind in {"list", "map"} and is_key:
        entry = located.shape["member" if kind == "list" else "value"]["shape"]
        return _descend(service_models.find(entry, located.service), [*done, token], rest)
    if kind == "structure" and not is_key:
        members = located.shape["members"]
        if token not in members:
            raise PropertyError(
                "unknown-property", f"{where} has no property {token!r}; {known(token, members)}"
            )
        return _descend(_member(located, str(token)), [*done, token], rest)
    raise PropertyError("unknown-property", f"{where} is a {kind}, so {_written(token)} cannot follow it")


def _member(located: Located, name: str) -> Located:
    return service_models.find(located.shape["members"][name]["shape"], located.service)


def _written(token: str | int) -> str:
    if isinstance(token, int):
        return f"[{token}]"
    return f"['{token[1:]}']" if token.startswith("[") else f".{token}"


def _check_declared(step: PlacedStep, tokens: Sequence[str | int]) -> None:
    """Refuse ``list['name']`` where the step itself says which names there are, and this is none."""
    position = next((at for at, token in enumerate(tokens) if str(token).startswith("[")), None)
    if position is None:
        return
    name = str(tokens[position])[1:]
    names = declared_names(step, [str(token) for token in tokens[:position]])
    if names is not None and name not in names:
        place = "".join(_written(token) for token in tokens[:position]).removeprefix(".")
        raise PropertyError("unknown-output", f"{place} has no {name!r}; {known(name, names)}")


def declared_names(step: PlacedStep, path: Sequence[str]) -> list[str] | None:
    """Return the names that the entries of a list of the step's have, or None if they are not known.

    Args:
        step: the step whose arguments say them.
        path: where the list is among its properties, for example ``["ProcessingOutputConfig", "Outputs"]``.
    """
    if path == ["OutputParameters"]:
        return _names(step.body.get("OutputParameters") or [], "OutputName")
    if step.type == "Lineage" and len(path) == 1 and path[0].endswith("Arns"):
        entity = path[0].removesuffix("Arns")
        return _names(step.arguments.get(f"{entity}s") or [], f"{entity}Name")
    name_member = step_type(step.type).entries.get(path[-1])
    if name_member is None:
        return None
    value: Any = step.arguments
    for member in path:
        value = value.get(member) if isinstance(value, Mapping) else None
    return _names(value or [], name_member)


def _names(entries: object, member: str) -> list[str] | None:
    if not isinstance(entries, Iterable):
        return None
    names = [entry.get(member) if isinstance(entry, Mapping) else None for entry in entries]
    return [str(name) for name in names] if all(isinstance(name, str) for name in names) else None


def _iteration_output(outline: Outline, loop: PlacedStep, tokens: Sequence[str | int]) -> str | None:
    """Resolve ``IterationOutputs[0].<step of the body>.<property>`` and ``Selected.<property>``."""
    bodies = {step.name: step for step in outline.steps if step.container is loop}
    if tokens[0] == "Selected":
        return None
    if len(tokens) < 3 or not isinstance(tokens[1], int) or tokens[2] not in bodies:
        raise PropertyError(
            "unknown-property",
            "IterationOutputs is followed by [0] and a step of the body; "
            f"{known(tokens[2] if len(tokens) > 2 else '', bodies)}",
        )
    return property_type(outline, bodies[str(tokens[2])], "".join(_written(token) for token in tokens[3:]))
