"""Which module imports which, read from the source of a tree; and the circles in that."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

Graph = Mapping[str, frozenset[str]]
"""What each module imports; a module is its path below the tree, such as ``cli/main.py``."""


def imported_names(path: Path) -> set[str]:
    """The dotted names that a file imports anywhere in it, members of modules included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def graph_of(tree: Path, package: str) -> Graph:
    """The imports among the modules below ``tree``, which is the root of the package of that name."""
    places = {}
    for path in tree.rglob("*.py"):
        inside = path.relative_to(tree).as_posix()
        dotted = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        places[package if dotted == "__init__" else f"{package}.{dotted}"] = inside
    return {inside: frozenset(_found(tree / inside, places) - {inside}) for inside in places.values()}


def _found(path: Path, places: Mapping[str, str]) -> set[str]:
    """The modules that a file imports, or imports a member of."""
    whole = {name if name in places else name.rpartition(".")[0] for name in imported_names(path)}
    return {places[name] for name in whole if name in places}


def entries(graph: Graph, folder: str = "") -> Graph:
    """What the entries of one folder, its files and its folders, import of each other."""
    found: dict[str, set[str]] = {}
    for module, imported in graph.items():
        entry = _entry(module, folder)
        if entry is not None:
            others = {_entry(name, folder) for name in imported} - {entry, None}
            found.setdefault(entry, set()).update(other for other in others if other is not None)
    return {entry: frozenset(others) for entry, others in found.items()}


def _entry(module: str, folder: str) -> str | None:
    parts = PurePosixPath(module).parts
    above = PurePosixPath(folder).parts
    if parts[: len(above)] != above or parts[-1] == "__init__.py":
        return None
    return parts[len(above)]


def folders(graph: Graph) -> list[str]:
    """The folders that modules are in, the tree itself first as the empty text."""
    return sorted(
        {str(place) if str(place) != "." else "" for name in graph for place in PurePosixPath(name).parents}
    )


def circles(graph: Graph) -> list[list[str]]:
    """The groups of nodes that reach each other, each sorted."""
    reached = {node: _reached(graph, node) for node in graph}
    groups = {
        tuple(sorted(other for other in reached[node] if node in reached.get(other, ())))
        for node in graph
        if node in reached[node]
    }
    return sorted(list(group) for group in groups)


def _reached(graph: Graph, node: str) -> set[str]:
    found: set[str] = set()
    coming: Iterable[str] = graph[node]
    while coming := [name for name in coming if name not in found]:
        found.update(coming)
        coming = [name for one in coming for name in graph.get(one, ())]
    return found
