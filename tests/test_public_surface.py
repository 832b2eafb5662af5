"""What a user may import, as text: a name or a signature that changes is seen in a review.

After a change that is meant, run ``python tests/test_public_surface.py`` and read the diff.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import scheduled_pipeline
from scheduled_pipeline import EventTrigger, PipelineSchedule
from scheduled_pipeline.trigger.event import EventOptions
from scheduled_pipeline.trigger.schedule import ScheduleOptions

SNAPSHOT = Path(__file__).with_name("public_surface.txt")
PACKAGE = Path(scheduled_pipeline.__file__).parent
INTERNAL = "Internal: users import from ``scheduled_pipeline`` alone."
CLASSES = [name for name in scheduled_pipeline.__all__ if isinstance(getattr(scheduled_pipeline, name), type)]


def surface() -> str:
    """Every public name with its parameters, methods, properties and attributes, one a line."""
    return "".join(f"{line}\n" for name in sorted(scheduled_pipeline.__all__) for line in _lines(name))


def _lines(name: str) -> Iterator[str]:
    found = getattr(scheduled_pipeline, name)
    if not isinstance(found, type):
        yield from _function(name, found)
        return
    bases = ", ".join(base.__name__ for base in found.__bases__)
    yield f"class {name}({bases})"
    own = _own(found)
    for member in sorted(own):
        value = own[member]
        value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if isinstance(value, property):
            yield f"  property {member}: {_annotation(_returned(value))}"
        elif inspect.isfunction(value):
            yield from (f"  {line}" for line in _function(member, value))
    for attribute in sorted(_attributes(found)):
        yield f"  attribute {attribute}"


def _own(of: type) -> dict[str, Any]:
    """The public members of a class that this package defines, the constructor among them."""
    members: dict[str, Any] = {}
    for base in reversed(_bases(of)):
        members |= {name: one for name, one in vars(base).items() if _public(name) or name == "__init__"}
    return members


def _bases(of: type) -> list[type]:
    return [base for base in of.__mro__ if base.__module__.startswith("scheduled_pipeline")]


def _attributes(of: type) -> set[str]:
    """Dataclass fields and constants of a class, and what its constructor sets on ``self``."""
    found = set()
    for base in _bases(of):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        for node in ast.walk(tree):
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            for target in targets if isinstance(node, ast.Assign | ast.AnnAssign) else []:
                parts = target.elts if isinstance(target, ast.Tuple) else [target]
                for part in parts:
                    if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                        found |= {part.attr} if part.value.id == "self" else set()
        assert isinstance(tree, ast.ClassDef)
        found |= {
            node.target.id
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
    return {name for name in found if _public(name)}


def _function(name: str, function: Any) -> Iterator[str]:
    signature = inspect.signature(function)
    yield f"{name}() -> {_annotation(signature.return_annotation)}"
    for one in signature.parameters.values():
        if one.name in {"self", "cls"}:
            continue
        star = "*" if one.kind is one.KEYWORD_ONLY else "**" if one.kind is one.VAR_KEYWORD else ""
        default = "" if one.default is one.empty else f" = {one.default!r}"
        yield f"    {star}{one.name}: {_annotation(one.annotation)}{default}"


def _returned(value: property) -> object:
    return inspect.signature(value.fget).return_annotation if value.fget else None


def _annotation(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _public(name: str) -> bool:
    return not name.startswith("_")


def test_the_public_names_and_signatures_are_those_that_were_agreed() -> None:
    assert surface() == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_attribute_is_documented(name: str) -> None:
    of = getattr(scheduled_pipeline, name)
    listed: set[str] = set()
    for base in _bases(of):
        section = re.search(r"^Attributes:\n((?:[ \n].*\n?)*)", inspect.getdoc(base) or "", re.MULTILINE)
        listed |= set(re.findall(r"^    (\w+):", section[1], re.MULTILINE)) if section else set()
        # A constant has its text below it.
        listed |= set(re.findall(r'^    (\w+): ClassVar.*\n    """', inspect.getsource(base), re.MULTILINE))
    assert _attributes(of) - listed == set()


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_and_property_is_documented(name: str) -> None:
    own = _own(getattr(scheduled_pipeline, name))
    without = [
        member
        for member, value in own.items()
        if member != "__init__"
        and (isinstance(value, property | classmethod | staticmethod) or inspect.isfunction(value))
        and not inspect.getdoc(value)
    ]
    assert without == []


@pytest.mark.parametrize(
    ("of", "options", "of_a_factory_alone"),
    [
        (PipelineSchedule, ScheduleOptions, {"expression", "timezone"}),
        (EventTrigger, EventOptions, {"event_pattern", "schedule_expression"}),
    ],
)
def test_the_factories_of_a_trigger_take_each_of_its_options(
    of: Any, options: Any, of_a_factory_alone: set[str]
) -> None:
    known = {field.name: field.type for field in fields(of)}
    taken = {name: hint.__forward_arg__ for name, hint in options.__annotations__.items()}
    assert taken == {name: hint for name, hint in known.items() if name not in of_a_factory_alone}


@pytest.mark.parametrize(
    "folder", sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*/__init__.py"))
)
def test_a_package_inside_says_that_it_is_internal(folder: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8")))
    assert (text or "").endswith(INTERNAL)


def test_no_document_imports_what_is_internal() -> None:
    root = PACKAGE.parents[1]
    documents = [root / "README.md", *(root / "docs").glob("*.md")]
    found = {
        f"{path.name}: {module}"
        for path in documents
        for module in re.findall(r"(?:from|import) (scheduled_pipeline\.[\w.]+)", path.read_text("utf-8"))
    }
    assert found == set()


if __name__ == "__main__":
    SNAPSHOT.write_text(surface(), encoding="utf-8")
