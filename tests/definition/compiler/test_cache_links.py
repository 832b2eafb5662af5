"""A link in the place of a folder of the cache: nothing that it leads to is read, written or removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stored import CONTENT, request, store

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return Project.of(str(tmp_path / "project"), [])


@pytest.fixture
def cache(tmp_path: Path, project: Project) -> CompiledCache:
    """A cache with an entry, which takes no more than that and keeps nothing for its age."""
    cache = CompiledCache(tmp_path / "cache", max_entries=0, max_bytes=4 * len(CONTENT), grace_seconds=0)
    store(cache, project)
    return cache


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("place", ["entries", "objects", "entries/*"])
def test_what_it_leads_to_is_left_alone(
    cache: CompiledCache, project: Project, tmp_path: Path, place: str
) -> None:
    (folder,) = cache.folder.glob(place)
    victim = tmp_path / "victim"
    folder.rename(victim)
    for name in ("package.json", "big.bin", "app/package.json"):
        (victim / name).parent.mkdir(exist_ok=True)
        (victim / name).write_text("{}" * 100)
        os.utime(victim / name, (1, 1))
    folder.symlink_to(victim)
    before = _everything(victim)
    assert cache.find(request(), project) is None
    with pytest.raises(OSError, match="has links to other folders in it; delete it"):
        store(cache, project)
    cache.trim()
    assert _everything(victim) == before


def test_the_folder_itself_may_be_one(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    cache = CompiledCache(tmp_path / "link")
    store(cache, project)
    assert cache.find(request(), project) is not None
