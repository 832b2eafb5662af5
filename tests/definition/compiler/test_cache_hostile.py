"""Whatever somebody, or the system, does to the cache: a right result, a miss, or an ``OSError``."""

from __future__ import annotations

import json
import os
import resource
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stored import BODY, CONTENT, READS, STEP, compiled, entry, request, store

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.keeper import Keeper
from scheduled_pipeline.definition.compiler.options import CACHE, CompileOptions
from scheduled_pipeline.definition.files import digest
from scheduled_pipeline.definition.project import Project

DEEP = "[" * 100_000 + "]" * 100_000
NOBODY = 65534


def _short(value: object) -> str:
    return repr(value)[:40]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return Project.of(str(tmp_path / "project"), [])


@pytest.fixture
def searched(project: Project) -> Project:
    """The same, where its folder is searched for modules."""
    return Project.of(project.anchors[0], [project.anchors[0]])


@pytest.fixture
def cache(tmp_path: Path) -> CompiledCache:
    return CompiledCache(tmp_path / "cache")


def _write_entry(path: Path, text: str) -> None:
    """Write an entry whose checksum is right."""
    path.write_text(f"{digest(text.encode())}\n{text}")


def _body(**changes: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": [STEP], **changes}, indent=2)


def _set(content: Any, place: str, value: Any) -> None:
    *above, last = [int(part) if part.isdecimal() else part for part in place.split(".")]
    for part in above:
        content = content[part]
    content[last] = value


def _each(place: str, *values: Any) -> list[tuple[str, Any]]:
    return [(place, value) for value in values]


_UPLOAD = "compiled.uploads.0"


class TestAnEntryThatSomebodyWrote:
    """Its checksum is right, so it says nothing."""

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            *_each(f"{_UPLOAD}.digest", "..", "../..", "", "d" * 63, "D" * 64, "g" * 64, 5),
            *_each(f"{_UPLOAD}.name", "..", ".", "a/b", "a\0", "C:", None),
            *_each(f"{_UPLOAD}.files.0.0", "/a", "..", "a/../../b", "\0", "C:\\x", "c:x", "\\x", 5),
            *_each(f"{_UPLOAD}.files", [["a", "../../x"]], [["a"]], [[]], "a", {}),
            *_each("compiled.body", "", "5", "null", "[]", "{}", BODY.replace("{}", "NaN"), 5),
            *_each("compiled.body", DEEP, BODY + " ", BODY.replace("A", "\ud800")),
            *_each("compiled.body", _body(Parameters=5), _body(Parameters=[5])),
            ("compiled.body", _body(Parameters=[{"Name": 5, "Type": "String"}])),
            ("compiled.body", _body(Parameters=[{"Name": "A", "Type": "String", "EnumValues": 5}])),
            *_each("compiled.findings", None, 5, [5], [{"id": "x", "path": "", "message": ""}]),
            *_each("compiled.values_read", None, "a", [5]),
            ("compiled.pipeline_name", 5),
            *_each("reads.states", 5, {"a": 5}, {"x:a": "absent"}, {"99:a": "absent"}),
            *_each("reads.states", *({name: "absent"} for name in ("", "\u00b2:a", "-1:a", "a", ":"))),
            *_each("reads.importable", 5, [5], [[5]]),
            *_each("compiled", 5, None, {}),
            ("more", 5),
        ],
        ids=_short,
    )
    def test_and_that_is_none_that_we_write_is_a_miss(
        self, cache: CompiledCache, project: Project, place: str, value: Any
    ) -> None:
        store(cache, project)
        content = json.loads(entry(cache).read_text().partition("\n")[2])
        assert cache.find(request(), project) is not None
        _set(content, place, value)
        _write_entry(entry(cache), json.dumps(content))
        assert cache.find(request(), project) is None

    @pytest.mark.parametrize(
        "text", ["", "[]", "5", "{", "NaN", "{}", '"', DEEP, "9" * 5000], ids=lambda text: text[:5]
    )
    def test_and_that_is_none_at_all_is_a_miss(
        self, cache: CompiledCache, project: Project, text: str
    ) -> None:
        store(cache, project)
        _write_entry(entry(cache), text)
        assert cache.find(request(), project) is None

    def test_may_ask_for_any_path(self, cache: CompiledCache, project: Project) -> None:
        names = ["-:/dev/zero", "-:\0", "-:relative", "-:", "0:../../x", "-:\ud800"]
        for name in names:
            store(cache, project)
            content = json.loads(entry(cache).read_text().partition("\n")[2])
            content["reads"]["states"] = {name: "file 1"}
            _write_entry(entry(cache), json.dumps(content))
            assert cache.find(request(), project) is None


class TestWhatTheLastSynthAskedFor:
    def _write(self, cache: CompiledCache, content: str) -> None:
        cache.objects.mkdir(parents=True, exist_ok=True)
        (cache.folder / "last.json").write_text(content)

    @pytest.mark.parametrize(
        "module",
        ["webbrowser", "os.path", "antigravity", "sagemaker.core", "defs.deep", "defs;x", "", "..defs"],
    )
    def test_is_none_of_the_modules_that_are_not_the_projects(
        self, cache: CompiledCache, searched: Project, module: str
    ) -> None:
        (Path(searched.anchors[0]) / "defs.py").touch()
        cache.objects.mkdir(parents=True)
        cache.remember([request(module=module), request()])
        assert cache.remembered(searched) == [request()]

    @pytest.mark.parametrize("place", ["defs.py", "defs/__init__.py", "deep/defs.py"])
    def test_is_a_function_of_the_projects(self, cache: CompiledCache, searched: Project, place: str) -> None:
        target = Path(searched.anchors[0]) / place
        target.parent.mkdir(exist_ok=True)
        target.touch()
        wanted = request(module=place.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        cache.objects.mkdir(parents=True)
        cache.remember([wanted])
        assert cache.remembered(searched) == [wanted]

    def test_is_a_function_that_there_is_an_entry_for(self, cache: CompiledCache, searched: Project) -> None:
        store(cache, searched)
        cache.remember([request(), request(1)])
        assert cache.remembered(searched) == [request()]
        entry(cache).write_bytes(b"")
        assert cache.remembered(searched) == []

    @pytest.mark.parametrize(
        "change",
        [
            {"region": "../x"},
            {"region": 5},
            {"partition": "x"},
            {"pipeline_name": "a b"},
            {"values": {"a": []}},
            {"values": {"a": float("nan")}},
            {"function": "defs:build"},
            {"function": {"module": "defs", "function": "a.b"}},
        ],
    )
    def test_is_nothing_that_no_synth_asks_for(
        self, cache: CompiledCache, searched: Project, change: dict[str, Any]
    ) -> None:
        (Path(searched.anchors[0]) / "defs.py").touch()
        whole = json.loads(request().text)
        self._write(cache, json.dumps([json.dumps({**whole, **change}), json.dumps(whole)]))
        assert cache.remembered(searched) == [request()]

    @pytest.mark.parametrize(
        "content", ["", "5", "{}", '"a"', '["a", 5, null]', DEEP, "NaN", "\0"], ids=lambda text: text[:5]
    )
    def test_is_nothing_where_it_is_damaged(
        self, cache: CompiledCache, searched: Project, content: str
    ) -> None:
        self._write(cache, content)
        assert cache.remembered(searched) == []


def _replace(path: Path, kind: str) -> None:
    """Put something else in the place of a file."""
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to itself":
        path.symlink_to(path)
    else:
        (path.parent.parent / "elsewhere").write_bytes(content)
        path.symlink_to(path.parent.parent / "elsewhere")


class TestTheFolder:
    @pytest.mark.parametrize("kind", ["folder", "pipe", "link", "link to itself"])
    @pytest.mark.parametrize("what", ["entry", "object", "last", "ignore"])
    def test_with_something_else_in_the_place_of_a_file_is_a_miss(
        self, cache: CompiledCache, project: Project, kind: str, what: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store(cache, project)
        cache.remember([request()])
        places = {
            "entry": entry(cache),
            "object": cache.objects / digest(CONTENT),
            "last": cache.folder / "last.json",
            "ignore": cache.folder / ".gitignore",
        }
        _replace(places[what], kind)
        assert (cache.find(request(), project) is None) is (what in {"entry", "object"})
        assert len(cache.remembered(project)) == (1 if what in {"object", "ignore"} else 0)
        keeper = Keeper()
        keeper.note(cache, request())
        keeper.keep(cache, request(), project, READS, _compiled_again(cache))
        keeper.close()
        warned = "cannot be written to" in capsys.readouterr().err
        assert (cache.find(request(), project) is None) is warned
        assert not warned or kind == "folder"

    @pytest.mark.parametrize("place", ["", "entries", "objects"])
    @pytest.mark.parametrize("kind", ["file", "link to nothing"])
    def test_that_is_none_is_a_miss_and_a_warning(
        self,
        cache: CompiledCache,
        project: Project,
        place: str,
        kind: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        path = cache.folder / place
        path.parent.mkdir(exist_ok=True)
        path.touch() if kind == "file" else path.symlink_to("nowhere")
        assert cache.find(request(), project) is None
        assert cache.remembered(project) == []
        keeper = Keeper()
        keeper.note(cache, request())
        keeper.keep(cache, request(), project, READS, _compiled_again(cache))
        keeper.close()
        assert "the cache of compiled pipelines cannot be written to" in capsys.readouterr().err
        assert cache.find(request(), project) is None

    def test_is_trimmed_around_what_cannot_be_removed(self, cache: CompiledCache, project: Project) -> None:
        small = CompiledCache(cache.folder, max_entries=1)
        for number in range(3):
            store(small, project, number)
            folder = small.folder / "entries" / f"other{number}" / "x.json"
            folder.mkdir(parents=True)
        small.trim()
        assert len([path for path in small.folder.glob("entries/*/*.json") if path.is_file()]) == 1


def _compiled_again(cache: CompiledCache) -> Any:
    staging = cache.folder.parent / "staging"
    staging.mkdir(exist_ok=True)
    (staging / digest(CONTENT)).write_bytes(CONTENT)
    return compiled(staging, CONTENT)


def _in_a_process(work: Callable[[], object], *, user: int | None = None) -> int:
    """Run something in a fork of this process, perhaps as another user; return how it ended, 0 if well."""
    process = os.fork()
    if process == 0:
        try:
            if user is not None:
                os.setgroups([])
                os.setuid(user)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.fixture
def seen_from_it(cache: CompiledCache, monkeypatch: pytest.MonkeyPatch) -> CompiledCache:
    """The cache by a path on which nobody needs a right to the folders above."""
    cache.folder.mkdir()
    monkeypatch.chdir(cache.folder)
    return CompiledCache(Path())


class TestAnotherUser:
    @pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")
    def test_finds_what_there_is_in_a_folder_that_is_not_his(
        self, cache: CompiledCache, project: Project, seen_from_it: CompiledCache
    ) -> None:
        store(cache, project)

        def synth() -> None:
            assert seen_from_it.find(request(), project) is not None
            with pytest.raises(PermissionError):
                seen_from_it.remember([request()])
            seen_from_it.trim()

        assert _in_a_process(synth, user=NOBODY) == 0

    @pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")
    @pytest.mark.parametrize(
        "place", ["", "entries", "objects", "entries/*", "entries/*/*.json", "objects/*"]
    )
    def test_finds_nothing_in_what_he_may_not_read(
        self, cache: CompiledCache, project: Project, seen_from_it: CompiledCache, place: str
    ) -> None:
        store(cache, project)
        for path in cache.folder.glob(place) if "*" in place else [cache.folder / place]:
            path.chmod(0)

        def synth() -> None:
            assert seen_from_it.find(request(), project) is None
            assert seen_from_it.remembered(project) == []
            seen_from_it.trim()

        assert _in_a_process(synth, user=NOBODY) == 0


class TestAWriteThatIsCutOff:
    @pytest.mark.parametrize("size", [0, 5, 100, 300])
    def test_by_a_full_disk_is_an_error_and_leaves_nothing(
        self, cache: CompiledCache, project: Project, size: int
    ) -> None:
        """A limit for the size of files is met in the middle of a write, as the end of a disk is."""
        staged = _compiled_again(cache)

        def synth() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            with pytest.raises(OSError, match="File too large"):
                cache.store(request(), project, READS, staged)

        assert _in_a_process(synth) == 0
        assert [path for path in cache.folder.rglob(".*.*") if path.name != ".gitignore"] == []
        assert cache.find(request(), project) is None
        cache.store(request(), project, READS, staged)
        assert cache.find(request(), project) is not None

    @pytest.mark.parametrize("writes", [1, 2, 3])
    def test_by_a_kill_is_cleared_away_later(
        self, cache: CompiledCache, project: Project, writes: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        staged = _compiled_again(cache)
        replace = Path.replace
        left = [writes]

        def die(path: Path, target: Path) -> Path:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return replace(path, target)

        def synth() -> None:
            monkeypatch.setattr(Path, "replace", die)
            cache.store(request(), project, READS, staged)

        assert _in_a_process(synth) == -signal.SIGKILL
        (unfinished,) = [path for path in cache.folder.rglob(".*.*") if path.name != ".gitignore"]
        assert cache.find(request(), project) is None
        cache.store(request(), project, READS, staged)
        cache.trim()
        assert unfinished.exists(), "it may be that of a synth that is at it"
        os.utime(unfinished, (1, 1))
        cache.trim()
        assert not unfinished.exists()
        assert cache.find(request(), project) is not None


class TestTheFolderThatIsAskedFor:
    """What lies in it counts for no definition, so nothing else may."""

    @pytest.mark.parametrize("given", [".", "..", "defs", "defs/.."])
    def test_is_refused_where_something_else_is_in_it(
        self, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "defs").mkdir()
        (tmp_path / "defs" / "daily.py").touch()
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match=r"app: context '.*:cache' must be a folder of its own, got '"):
            CompileOptions.of({CACHE: given}.get, "app")

    @pytest.mark.parametrize("there", [True, False])
    def test_is_taken_where_it_is_a_cache_or_not_there(
        self, cache: CompiledCache, project: Project, there: bool
    ) -> None:
        if there:
            store(cache, project)
            cache.remember([request()])
        options = CompileOptions.of({CACHE: str(cache.folder)}.get, "app")
        assert options.cache == cache

    def test_hides_nothing_of_a_project_that_is_in_it(self, tmp_path: Path) -> None:
        folder = str(tmp_path / "project")
        project = Project.of(folder, [folder], [str(tmp_path)])
        assert project.name(f"{folder}/defs.py") == "0:defs.py"


def test_eight_synths_at_once_disturb_none_of_them(cache: CompiledCache, project: Project) -> None:
    staged = _compiled_again(cache)
    cache.store(request(), project, READS, staged)
    small = CompiledCache(cache.folder, max_entries=4)

    def synth() -> None:
        for number in range(20):
            wanted = request(number % 7)
            found = small.find(wanted, project)
            assert found is None or found.uploads[0].files[0].staged_path.read_bytes() == CONTENT
            small.store(wanted, project, READS, staged)
            small.remember([wanted])
            small.trim()

    processes = []
    for _ in range(8):
        if (process := os.fork()) == 0:
            code = _in_a_process(synth)
            os._exit(code != 0)
        processes.append(process)
    assert [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes] == [0] * 8
    assert not [path for path in cache.folder.rglob(".*.*") if path.name != ".gitignore"]
