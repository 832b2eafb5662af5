"""What the app's process and its child say to each other has a version and a shape, which both check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab

from scheduled_pipeline.definition.compiler import child_process
from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.findings import Finding
from scheduled_pipeline.definition.model import DefinitionError, PackedPipeline, PackedUpload
from scheduled_pipeline.definition.project import Project, Reads
from scheduled_pipeline.definition.sandbox import protocol
from scheduled_pipeline.definition.sandbox.protocol import (
    FILTER,
    NAMESPACE,
    Cancel,
    Cancelled,
    Compiled,
    Ended,
    Failed,
    Guard,
    ProtocolError,
    Refused,
    Request,
    Start,
    Surroundings,
)

START = Start(
    path=("/a", "/b"),
    project=Project(("/a",), ("/a",), (), ("/i",), "e" * 64, mixed=False),
    surroundings=Surroundings(clock_offset=0.5, reverse_folders=True, hash_seed=1),
    forks=True,
    guards=(FILTER,),
)
GUARD = Guard({NAMESPACE: "it is not allowed"})
REQUEST = Request(
    module="m",
    function="f",
    region="eu-west-1",
    partition="aws",
    pipeline_name="p",
    values={"text": "a", "whole": 1, "number": 1.0, "flag": True},
    staging="/s",
    deadline=7.5,
)
PIPELINE = PackedPipeline(
    body="{}",
    pipeline_name="p",
    values_read=("a",),
    uploads=(PackedUpload("d", "n", (("", "1"), ("x/y", "2"))),),
    findings=(Finding("cycle", "Steps[0]", "they wait"),),
)
ANSWERS: list[protocol.Answer] = [
    Compiled(PIPELINE, Reads({"0:a": "absent"}, [["m"], []]), GUARD),
    Compiled(PIPELINE, None, Guard({})),
    Failed("raised"),
    Refused("no"),
    Ended("ended with code 7", late=True, place="/a/b.py:3, in build"),
    Cancelled(),
]


def test_messages_are_read_as_they_were_written() -> None:
    assert protocol.read_start(protocol.write(START)) == START
    assert protocol.read_request(protocol.write(Cancel())) == Cancel()
    read = protocol.read_request(protocol.write(REQUEST))
    assert isinstance(read, Request)
    assert read == REQUEST
    assert [type(value) for value in read.values.values()] == [str, int, float, bool]
    assert [protocol.read_answer(protocol.write(answer)) for answer in ANSWERS] == ANSWERS


def _changed(**changes: Any) -> str:
    return json.dumps({**json.loads(protocol.write(REQUEST)), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the request is not JSON"),
        ("[]", r"the request must be an object, got \[\]"),
        ("{}", "the request is of version None of the protocol"),
        (_changed(protocol="1"), "the request is of version '1' of the protocol"),
        (_changed(kind="start"), "the request must be of kind 'request' or 'cancel', got 'start'"),
        (_changed(region=None), "the request.region must be a string, got None"),
        (_changed(colour=1), "the request has 'colour', which is not known"),
    ],
)
def test_a_message_of_another_shape_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=f"^{message}"):
        protocol.read_request(text)


def test_another_version_is_named_with_ours_and_the_place_of_this_package() -> None:
    with pytest.raises(ProtocolError) as caught:
        protocol.read_request(_changed(protocol=99))
    package = Path(sys.modules["scheduled_pipeline"].__path__[0])
    assert str(caught.value) == (
        f"the request is of version 99 of the protocol, but the scheduled_pipeline in {package} speaks "
        f"version {protocol.VERSION}; the app and its child process need the same version of it"
    )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab whose child is started by the test."""
    lab = Lab(tmp_path, CompiledCache(tmp_path / ".scheduled-pipeline"))
    lab.enter(monkeypatch)
    yield lab
    lab.compiler.close()


OTHER_VERSION = "from scheduled_pipeline.definition.sandbox import protocol\nprotocol.VERSION = 99\n"


def test_a_child_of_another_version_refuses_to_start_and_says_so(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        child_process, "_BOOT", f"import json, sys\n{_PATH}{OTHER_VERSION}{child_process._BOOT}"
    )
    with pytest.raises(DefinitionError) as caught:
        lab.compile(lab.define("any.py", "def text(context): return 1"))
    assert str(caught.value).startswith(
        "the process that runs any:build ended with code 1 before it answered"
    )
    assert f"error: the start message is of version {protocol.VERSION} of the protocol" in str(caught.value)
    assert "speaks version 99" in str(caught.value)
    assert "Traceback" not in str(caught.value)


_PATH = 'sys.path[:] = json.loads(sys.argv[1])["path"]\n'
_TALKER = "import sys\nfor line in sys.stdin: print({line!r}, flush=True)\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"protocol": 99}', "the answer is of version 99 of the protocol"),
        ("hello", "the answer is not JSON"),
        (f'{{"protocol": {protocol.VERSION}, "kind": "compiled"}}', "the answer has no 'pipeline'"),
        (
            f'{{"protocol": {protocol.VERSION}, "kind": "x"}}',
            "the answer must be of kind 'compiled' or 'failed' or 'refused' or 'ended' or 'cancelled', ",
        ),
    ],
)
def test_an_answer_that_is_not_understood_is_an_error_and_the_child_is_ended(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    boot = child_process._BOOT
    monkeypatch.setattr(child_process, "_BOOT", _TALKER.format(line=line))
    module = lab.define("any.py", "def text(context): return 1")
    with pytest.raises(DefinitionError) as caught:
        lab.compile(module)
    assert str(caught.value).startswith(f"the process that runs any:build was not understood ({message}")
    monkeypatch.setattr(child_process, "_BOOT", boot)
    assert lab.text(module) == "1"


@pytest.mark.process
def test_the_child_answers_a_request_that_it_does_not_understand(lab: Lab) -> None:
    project = Project.of(str(lab.folder), sys.path)
    start = Start(path=tuple(sys.path), project=project, surroundings=Surroundings(), forks=True, guards=())
    done = subprocess.run(
        [sys.executable, "-c", child_process._BOOT, protocol.write(start)],
        input=_changed(values=5) + "\n",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = protocol.read_answer(done.stdout)
    assert answer == Refused("the request.values must be an object, got 5")


@pytest.mark.parametrize("path", ["/a", "\\a", "C:\\a", "C:/a", "c:a", "../a", "a/./b"])
def test_an_upload_lies_below_its_folder(path: str) -> None:
    upload = PackedUpload("d" * 64, "code", ((path, "e" * 64),))
    with pytest.raises(DefinitionError, match="the test: an upload may have no"):
        PackedPipeline("{}", None, (), (upload,)).unpack(Path("staged"), "the test")
