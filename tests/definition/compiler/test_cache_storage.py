"""The folder of the cache: what is broken is not used, it is bounded, and many synths may use it at once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import CONTENT, entry, request, store

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.files import digest
from scheduled_pipeline.definition.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return Project.of(str(tmp_path / "project"), [])


@pytest.fixture
def cache(tmp_path: Path) -> CompiledCache:
    return CompiledCache(tmp_path / "cache")


class TestABrokenEntry:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
    def test_with_one_changed_byte_is_a_miss_and_is_replaced(
        self, cache: CompiledCache, project: Project, place: float, flip: int
    ) -> None:
        store(cache, project)
        content = bytearray(entry(cache).read_bytes())
        content[int(place * len(content))] ^= flip
        entry(cache).write_bytes(content)
        assert cache.find(request(), project) is None
        store(cache, project)
        assert cache.find(request(), project) is not None

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(kept=st.floats(0, 1, exclude_max=True))
    def test_that_was_cut_off_is_a_miss(self, cache: CompiledCache, project: Project, kept: float) -> None:
        store(cache, project)
        content = entry(cache).read_bytes()
        entry(cache).write_bytes(content[: int(kept * len(content))])
        assert cache.find(request(), project) is None

    @pytest.mark.parametrize(
        "damage", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"other")]
    )
    def test_whose_upload_is_not_whole_is_a_miss_and_is_replaced(
        self, cache: CompiledCache, project: Project, damage: Callable[[Path], object]
    ) -> None:
        store(cache, project)
        damage(cache.objects / digest(CONTENT))
        assert cache.find(request(), project) is None
        store(cache, project)
        found = cache.find(request(), project)
        assert found is not None
        assert found.uploads[0].files[0].staged_path.read_bytes() == CONTENT

    def test_that_was_never_finished_is_not_seen(self, cache: CompiledCache, project: Project) -> None:
        store(cache, project)
        found = entry(cache)
        found.rename(found.with_name(f".{found.name}.1.1"))
        assert cache.find(request(), project) is None


class TestTheFolder:
    def test_is_ignored_by_git(self, cache: CompiledCache, project: Project) -> None:
        store(cache, project)
        assert (cache.folder / ".gitignore").read_text() == "*\n"

    def test_names_no_folder_of_this_machine(self, lab: Lab) -> None:
        lab.write("named/data.txt", "")
        module = lab.define(
            "named/defs.py", "def text(context): return (HERE / 'data.txt').resolve().read_text()"
        )
        lab.text(module)
        entries = [path.read_text() for path in lab.cache.folder.glob("entries/*/*.json")]
        assert len(entries) == 1
        assert "named/data.txt" in entries[0]
        assert str(lab.folder.parent) not in entries[0]

    def test_keeps_the_entries_used_last(self, cache: CompiledCache, project: Project) -> None:
        small = CompiledCache(cache.folder, max_entries=3)
        for number in range(5):
            store(small, project, number)
            for path in small.folder.glob("entries/*/*.json"):
                os.utime(path, (path.stat().st_mtime - 100,) * 2)
        assert small.find(request(0), project) is not None
        small.trim()
        kept = [number for number in range(5) if small.find(request(number), project) is not None]
        assert kept == [0, 3, 4]
        assert len(list(small.folder.glob("entries/*"))) == 3

    def test_keeps_the_files_used_last(self, cache: CompiledCache, project: Project) -> None:
        small = CompiledCache(cache.folder, max_bytes=250, grace_seconds=50)
        contents = [bytes([letter]) * 50 for letter in b"abcdefg"]
        for number, content in enumerate(contents):
            store(small, project, number, content)
            for path in small.objects.iterdir():
                os.utime(path, (path.stat().st_mtime - 100,) * 2)
        assert small.find(request(0), project) is not None
        small.trim()
        kept = [number for number in range(7) if small.find(request(number), project) is not None]
        assert kept == [0, 3, 4, 5, 6]

    def test_keeps_files_that_another_synth_may_be_about_to_copy(
        self, cache: CompiledCache, project: Project
    ) -> None:
        small = CompiledCache(cache.folder, max_bytes=250)
        for number, content in enumerate(bytes([letter]) * 50 for letter in b"abcdefg"):
            store(small, project, number, content)
        small.trim()
        assert len(list(small.objects.iterdir())) == 7

    def test_has_no_upload_that_would_fill_it(self, cache: CompiledCache, project: Project) -> None:
        small = CompiledCache(cache.folder, max_bytes=250)
        store(small, project, content=b"x" * 63)
        assert small.find(request(), project) is None
        store(small, project, content=b"x" * 62)
        assert small.find(request(), project) is not None

    def test_serves_many_synths_at_once(self, cache: CompiledCache, project: Project) -> None:
        """Each finds a whole entry from the first store on, and nothing is left of the writing."""
        store(cache, project)
        found: list[bool] = []

        def synth() -> None:
            for _ in range(20):
                found.append(cache.find(request(), project) is not None)
                store(cache, project)
                cache.trim()

        threads = [threading.Thread(target=synth) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [True] * 160
        assert not [path for path in cache.folder.rglob(".*.*") if path.name != ".gitignore"]


class TestTheEnvironment:
    def test_of_another_python_is_another(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = Project.of(str(tmp_path), [])
        monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
        assert Project.of(str(tmp_path), []).environment != before.environment

    @pytest.mark.parametrize("name", ["sagemaker-3.28.0.dist-info", "new-1.0.dist-info", "local.pth"])
    def test_with_another_distribution_is_another(self, tmp_path: Path, name: str) -> None:
        packages = tmp_path / "site-packages"
        (packages / "sagemaker-3.27.0.dist-info").mkdir(parents=True)
        before = Project.of(str(tmp_path), [str(packages)])
        assert Project.of(str(tmp_path), [str(packages)]) == before
        (packages / name).mkdir()
        assert Project.of(str(tmp_path), [str(packages)]).environment != before.environment

    @pytest.mark.parametrize(
        ("line", "counts"),
        [
            ("helpers/sizes.py,sha256=other,9", True),
            ("helpers-1.0.dist-info/direct_url.json,sha256=other,9", False),
            ("__editable__.helpers-1.0.pth,sha256=other,9", False),
        ],
    )
    @pytest.mark.parametrize("from_a_repository", [True, False])
    def test_with_the_same_version_of_a_distribution_built_anew_is_another(
        self, tmp_path: Path, line: str, counts: bool, from_a_repository: bool
    ) -> None:
        """A version that an index has is never built anew; one of a folder or a repository may be."""
        packages = tmp_path / "site-packages"
        info = packages / "helpers-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text("helpers/sizes.py,sha256=one,9\n")
        if from_a_repository:
            (info / "direct_url.json").write_text("{}")
        before = Project.of(str(tmp_path), [str(packages)])
        (info / "RECORD").write_text(f"helpers/sizes.py,sha256=one,9\n{line}\n")
        same = Project.of(str(tmp_path), [str(packages)]).environment == before.environment
        assert same is not (counts and from_a_repository)

    def test_with_other_sources_of_this_package_is_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from scheduled_pipeline.definition import project as module

        before = Project.of(str(tmp_path), [])
        monkeypatch.setattr(module, "_own_sources", lambda: "others")
        assert Project.of(str(tmp_path), []).environment != before.environment

    def test_of_packages_among_the_projects_modules_is_not_known(
        self, cache: CompiledCache, tmp_path: Path
    ) -> None:
        mixed = tmp_path / "all"
        (mixed / "new-1.0.dist-info").mkdir(parents=True)
        project = Project.of(str(mixed), [str(mixed)])
        store(cache, project)
        assert cache.find(request(), project) is None
        assert not cache.folder.exists()

    def test_is_part_of_what_is_asked_for(
        self, cache: CompiledCache, tmp_path: Path, project: Project
    ) -> None:
        packages = tmp_path / "site-packages"
        store(cache, project)
        assert cache.find(request(), project) is not None
        (packages / "sagemaker-3.28.0.dist-info").mkdir(parents=True)
        other = Project.of(str(tmp_path / "project"), [str(packages)])
        assert cache.find(request(), other) is None


NAMES = st.text("abc.", min_size=1, max_size=3).filter(lambda name: name.strip("."))
FILES = st.dictionaries(NAMES, st.binary(max_size=3), max_size=4)


@settings(deadline=None)
@given(first=FILES, second=FILES)
def test_the_state_of_a_folder_is_that_of_its_names(
    first: dict[str, bytes], second: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    states = []
    for files in (first, second):
        folder = tmp_path_factory.mktemp("folder")
        for name, content in files.items():
            (folder / name).write_bytes(content)
        project = Project.of(str(folder), [])
        states.append(
            (project.state(str(folder), listed=True), {n: project.state(str(folder / n)) for n in files})
        )
    assert (states[0][0] == states[1][0]) == (first.keys() == second.keys())
    assert (states[0][1] == states[1][1]) == (first == second)


SCALARS = st.one_of(st.booleans(), st.integers(-2, 2), st.floats(-2, 2), st.text("ab1", max_size=2))


@given(
    first=st.dictionaries(st.sampled_from("AB"), SCALARS),
    second=st.dictionaries(st.sampled_from("AB"), SCALARS),
)
def test_requests_are_the_same_only_with_the_same_values_of_the_same_types(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    texts = [
        CompileRequest(
            function=FunctionReference("m", "f"), region="r", partition="p", pipeline_name="n", values=values
        ).text
        for values in (first, second)
    ]
    written = [
        {key: (type(value), repr(value)) for key, value in values.items()} for values in (first, second)
    ]
    assert (texts[0] == texts[1]) == (written[0] == written[1])
