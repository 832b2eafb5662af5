"""What the order of the house is checked with, on a tree of five files."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_graph import Graph, circles, entries, folders, graph_of


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    sources = {
        "__init__.py": "",
        "low.py": "import json",
        "wing/__init__.py": "",
        "wing/one.py": "from house.wing.two import name\nfrom house import low",
        "wing/two.py": "def f():\n    import house.low",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def graph(tree: Path) -> Graph:
    return graph_of(tree, "house")


def test_each_form_of_import_counts_also_inside_a_function(graph: Graph) -> None:
    assert graph["wing/one.py"] >= {"wing/two.py", "low.py"}
    assert graph["wing/two.py"] == {"low.py"}


def test_a_folder_is_one_entry(graph: Graph) -> None:
    assert entries(graph) == {"low.py": frozenset(), "wing": {"low.py"}}
    assert entries(graph, "wing") == {"one.py": {"two.py"}, "two.py": frozenset()}
    assert folders(graph) == ["", "wing"]


def test_a_circle_of_modules_is_found(tree: Path) -> None:
    assert circles(graph_of(tree, "house")) == []
    (tree / "wing/two.py").write_text("from house.wing import one")
    assert circles(graph_of(tree, "house")) == [["wing/one.py", "wing/two.py"]]


def test_a_circle_of_entries_is_found_where_modules_make_none(tree: Path) -> None:
    (tree / "high.py").write_text("from house.wing import one")
    (tree / "wing/three.py").write_text("from house import high")
    found = graph_of(tree, "house")
    assert circles(found) == []
    assert circles(entries(found)) == [["high.py", "wing"]]
