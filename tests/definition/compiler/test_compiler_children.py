"""The child processes: none for what is in the cache, several for many definitions, and an end to each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab

from scheduled_pipeline.definition.compiler import job as job_module
from scheduled_pipeline.definition.compiler import lanes as lanes_module
from scheduled_pipeline.definition.compiler import warm_up as warm_up_module
from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.child_process import Child
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.job import Job
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.findings import Finding
from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.definition.sandbox import forked
from scheduled_pipeline.definition.validation import service_models

NEEDS_FORKS = pytest.mark.skipif(not forked.POSSIBLE, reason="nothing is forked here")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Regions of the children that were started."""
    regions: list[str] = []

    class Counted(Child):
        def __init__(self, root: Path, region: str, *arguments: Any) -> None:
            regions.append(region)
            super().__init__(root, region, *arguments)

    monkeypatch.setattr(lanes_module, "Child", Counted)
    return regions


@pytest.fixture
def own_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab whose compiler has no child yet."""
    lab = Lab(tmp_path, CompiledCache(tmp_path / ".scheduled-pipeline"))
    lab.enter(monkeypatch)
    yield lab
    lab.compiler.close()


def _request(module: str, region: str = "eu-west-1") -> CompileRequest:
    return CompileRequest(
        function=FunctionReference(module, "build"), region=region, partition="aws", pipeline_name="lab"
    )


_HANGS = """
import time
def text(context):
    with (HERE / "begun").open("a") as file:
        file.write("begun\\n")
    time.sleep(30)
    (HERE / "ended").touch()
    return 1
"""


def _line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


class TestATimeout:
    def test_ends_the_definition_alone_and_says_where_it_was(self, own_lab: Lab, started: list[str]) -> None:
        code = "import time\nprint('on my way', flush=True)\ndef text(context): time.sleep(600)"
        sleeps = own_lab.define("sleeps.py", code)
        quick = own_lab.define("quick.py", "def text(context): return 'a'")
        assert own_lab.text(quick) == "a"
        with pytest.raises(DefinitionError) as caught:
            own_lab.compile(sleeps, timeout=1.0)
        line = f"{own_lab.folder}/sleeps.py:{_line_of(own_lab.folder / 'sleeps.py', 'time.sleep')}, in text"
        assert str(caught.value).startswith(
            "the process that runs sleeps:build did not answer within 1 seconds and was ended; "
            f"it was at {line}; its output:\n"
        )
        assert "on my way" in str(caught.value)
        own_lab.define("quick.py", "def text(context): return 'b'")
        assert own_lab.text(quick) == "b"
        assert started == ["eu-west-1"]


class TestPrefetch:
    def test_is_what_compile_takes(self, own_lab: Lab, started: list[str]) -> None:
        modules = [own_lab.define(f"many{n}.py", f"def text(context): return {n}") for n in range(4)]
        own_lab.compiler.prefetch([_request(module) for module in modules], cache=own_lab.cache)
        assert [own_lab.text(module) for module in modules] == ["0", "1", "2", "3"]
        assert started == ["eu-west-1"]

    def test_of_many_uses_every_core(
        self, own_lab: Lab, started: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "cpu_count", lambda: 2)
        modules = [own_lab.define(f"lots{n}.py", f"def text(context): return {n}") for n in range(30)]
        own_lab.compiler.prefetch([_request(module) for module in modules], cache=own_lab.cache)
        assert [own_lab.text(module) for module in modules] == [str(n) for n in range(30)]
        assert started == ["eu-west-1"] * 2

    def test_of_what_is_in_the_cache_starts_nothing(self, own_lab: Lab, started: list[str]) -> None:
        module = own_lab.define("known.py", "def text(context): return 1")
        own_lab.text(module)
        again = Compiler()
        started.clear()
        again.prefetch([_request(module)], cache=own_lab.cache)
        assert Lab(own_lab.folder, own_lab.cache, again).text(module) == "1"
        again.close()
        assert started == []

    def test_leaves_an_error_to_compile(self, own_lab: Lab) -> None:
        module = own_lab.define("bad.py", "def text(context): raise ValueError('no good')")
        own_lab.compiler.prefetch([_request(module)], cache=own_lab.cache)
        with pytest.raises(DefinitionError, match="no good"):
            own_lab.compile(module)

    def test_of_what_nobody_asks_for_does_not_keep_the_process(self, own_lab: Lab) -> None:
        module = own_lab.define("forever.py", "import time\ndef text(context): time.sleep(600)")
        own_lab.compiler.prefetch([_request(module)] * 3, cache=own_lab.cache)
        own_lab.compiler.close()
        assert not own_lab.is_hit(module)


class TestWarmUp:
    @pytest.fixture
    def restart(self, own_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Compiler]]:
        """Ends the synth, and begins another one in the same folder."""
        compilers = [own_lab.compiler]

        def restart() -> Compiler:
            compilers[-1].close()
            compilers.append(Compiler())
            monkeypatch.setattr(warm_up_module, "shared_compiler", lambda: compilers[-1])
            own_lab.compiler = compilers[-1]
            return compilers[-1]

        yield restart
        compilers[-1].close()

    def test_starts_nothing_when_nothing_has_changed(
        self, own_lab: Lab, started: list[str], restart: Callable[[], Compiler]
    ) -> None:
        module = own_lab.define("same.py", "def text(context): return 1")
        own_lab.text(module)
        restart()
        started.clear()
        warm_up_module.warm_up()
        assert own_lab.text(module) == "1"
        assert started == []

    def test_compiles_what_has_changed_once(
        self, own_lab: Lab, started: list[str], restart: Callable[[], Compiler]
    ) -> None:
        module = own_lab.define("edit.py", "def text(context): return 1")
        own_lab.text(module)
        restart()
        started.clear()
        own_lab.define("edit.py", "def text(context): return 2")
        warm_up_module.warm_up()
        deadline = 120.0
        while not started and (deadline := deadline - 0.1) > 0:
            time.sleep(0.1)
        assert started == ["eu-west-1"]
        assert own_lab.text(module) == "2"
        assert started == ["eu-west-1"]

    @pytest.mark.parametrize("cached", [True, False])
    def test_sees_what_the_app_writes_afterwards(
        self, own_lab: Lab, restart: Callable[[], Compiler], cached: bool
    ) -> None:
        module = own_lab.define("late.py", "def text(context): return (HERE / 'made.txt').read_text()")
        made = own_lab.write("made.txt", "1")
        assert own_lab.text(module) == "1"
        restart()
        if not cached:
            made.unlink()  # as in a new checkout whose cache was restored
        warm_up_module.warm_up()
        for ahead in list(own_lab.compiler._ahead.values()):
            assert isinstance(ahead, Job)
            ahead.future.result()
        own_lab.write("made.txt", "2")
        assert own_lab.text(module) == "2"

    @pytest.mark.parametrize("begun", [True, False], ids=["at work", "while the SDK is imported"])
    @pytest.mark.parametrize(
        "forks", [pytest.param(True, marks=NEEDS_FORKS), False], ids=["forks", "a process each"]
    )
    def test_keeps_nobody_waiting_for_what_nobody_asks_for(
        self,
        own_lab: Lab,
        restart: Callable[[], Compiler],
        monkeypatch: pytest.MonkeyPatch,
        begun: bool,
        forks: bool,
    ) -> None:
        monkeypatch.setattr(lanes_module, "Child", partial(Child, forks=forks))
        gone = own_lab.define("gone.py", "def text(context): return 1")
        own_lab.text(gone)
        restart()
        own_lab.define("gone.py", _HANGS)
        warm_up_module.warm_up()
        deadline = time.monotonic() + 120
        while begun and not (own_lab.folder / "begun").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        fresh = own_lab.define("fresh.py", "def text(context): return 2")
        assert own_lab.text(fresh) == "2"
        assert not (own_lab.folder / "ended").exists()

    def test_shows_a_time_out_once(self, own_lab: Lab, restart: Callable[[], Compiler]) -> None:
        module = own_lab.define("hangs.py", "def text(context): return 1")
        own_lab.text(module)
        restart()
        own_lab.text(own_lab.define("first.py", "def text(context): return 1"))
        own_lab.define("hangs.py", _HANGS)
        warm_up_module.warm_up('{"scheduled-pipeline:compile-timeout": 2}')
        with pytest.raises(DefinitionError, match="did not answer within 2 seconds"):
            own_lab.compile(module, timeout=2)
        assert (own_lab.folder / "begun").read_text() == "begun\n"

    @pytest.mark.parametrize("content", ["", "[", "[1]", "{}", '["{}"]', None])
    def test_starts_nothing_when_the_last_synth_is_not_known(
        self, own_lab: Lab, started: list[str], restart: Callable[[], Compiler], content: str | None
    ) -> None:
        restart()
        own_lab.cache.folder.mkdir()
        if content is not None:
            (own_lab.cache.folder / "last.json").write_text(content)
        warm_up_module.warm_up()
        assert started == []

    @pytest.mark.parametrize("context", [None, '{"scheduled-pipeline:cache": "false"}'])
    def test_imports_the_sdk_ahead_where_nothing_is_known(
        self, own_lab: Lab, started: list[str], restart: Callable[[], Compiler], context: str | None
    ) -> None:
        module = own_lab.define("first.py", "def text(context): return 1")
        restart()
        warm_up_module.warm_up(context, regions=["eu-west-1"])
        deadline = 120.0
        while not started and (deadline := deadline - 0.1) > 0:
            time.sleep(0.1)
        assert started == ["eu-west-1"]
        if context is None:  # without a cache the child is that of another project
            assert own_lab.text(module) == "1"
            assert started == ["eu-west-1"]

    def test_refuses_a_context_value_that_is_not_allowed(self) -> None:
        with pytest.raises(ValueError, match="app: context 'scheduled-pipeline:compile-timeout' must be"):
            warm_up_module.warm_up('{"scheduled-pipeline:compile-timeout": "soon"}')


class TestTheValidation:
    def test_is_done_here_while_the_child_makes_the_next_definition(
        self, own_lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen, made = [], own_lab.folder / "made.txt"

        def validate(document: object) -> tuple[Finding, ...]:
            deadline = time.monotonic() + 120
            while not made.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            seen.append(made.exists())
            return (Finding("cycle", "Steps[0]", "said here"),)

        monkeypatch.setattr(job_module, "validate", validate)
        first = own_lab.define("earlier.py", "def text(context): return 1")
        second = own_lab.define("later.py", f"def text(context): Path({str(made)!r}).write_text('')")
        own_lab.compiler.prefetch([_request(first), _request(second)], cache=own_lab.cache)
        assert [finding.message for finding in own_lab.compile(first).findings or ()] == ["said here"]
        own_lab.compile(second)
        assert seen == [True, True]

    def test_has_its_model_read_once_and_only_where_something_is_compiled(
        self, own_lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads: list[bool] = []
        monkeypatch.setattr(service_models, "load_ahead", lambda: reads.append(True))
        modules = [own_lab.define(f"read{n}.py", f"def text(context): return {n}") for n in range(2)]
        assert [own_lab.text(module) for module in modules] == ["0", "1"]
        assert reads == [True]
        again = Compiler()
        assert [Lab(own_lab.folder, own_lab.cache, again).text(module) for module in modules] == ["0", "1"]
        again.close()
        assert reads == [True]

    def test_that_breaks_is_an_error_of_compile_alone(
        self, own_lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = own_lab.define("breaks.py", "def text(context): return 1")
        with monkeypatch.context() as patch:
            patch.setattr(job_module, "validate", lambda document: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                own_lab.compile(module)
        assert own_lab.text(module) == "1"


class TestACacheThatCannotBeWrittenTo:
    def test_is_told_once_and_changes_nothing(self, own_lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
        module = own_lab.define("any.py", "def text(context): return 1")
        own_lab.cache.folder.write_text("a file in the place of the folder")
        assert [own_lab.text(module) for _ in range(2)] == ["1", "1"]
        assert (
            capsys.readouterr().err.count("warning: the cache of compiled pipelines cannot be written to")
            == 1
        )


class TestTheOutput:
    def test_is_that_of_a_new_compile_when_asked_for(
        self, own_lab: Lab, capsys: pytest.CaptureFixture[str]
    ) -> None:
        module = own_lab.define("talks.py", "def text(context): print('hello'); return 1")
        own_lab.compile(module)
        own_lab.compile(module)
        assert "hello" not in capsys.readouterr().err
        own_lab.compile(module, show_output=True)
        assert "hello" in capsys.readouterr().err
