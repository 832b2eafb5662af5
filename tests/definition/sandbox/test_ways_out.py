"""Nothing outside is reached while a definition is compiled, whatever is tried."""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import ways_out

from scheduled_pipeline.definition.compiler.child_process import Child
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox import protocol
from scheduled_pipeline.definition.sandbox.protocol import FILTER, NAMESPACE, Compiled, Failed

pytestmark = pytest.mark.process
WAYS = [way.__name__ for way in ways_out.WAYS]
GUARDS: dict[str, dict[str, Any]] = {
    "all guards": {},
    "hook, filter": {"guards": (FILTER,)},
    "hook, namespace": {"guards": (NAMESPACE,)},
    "hook": {"guards": ()},
}
# What Python's audit hook does not see: other languages, and the programs that they start.
NATIVE = {
    *("ctypes_socket", "ctypes_sendto", "ctypes_sendmsg", "ctypes_unix_socket", "ctypes_getaddrinfo"),
    *("ctypes_unix_datagram", "ctypes_system", "pyarrow_s3", "multiprocessing_fork_native"),
}
REACHED = {
    "all guards": set(),
    "hook, filter": set(),
    # A Unix socket is a file.
    "hook, namespace": {"ctypes_unix_socket", "ctypes_unix_datagram"},
    "hook": NATIVE,
}

# Those of which the error in a build function is looked at.
USED = {
    "python_sendmsg": r"refused the message by sendmsg, made at .*ways_out.py:\d+; use send or sendall",
    "python_unix_socket": r"refused the connection to '.*/socket', made at .*ways_out.py:\d+; take what you",
    "pyarrow_s3": r"OSError: .*\na pipeline is built without a network; take what you need",
    "multiprocessing_spawn": r"refused the program .*python.*; another Python would not be bound to",
    "subprocess_curl": r"refused the program /usr/bin/curl, made at .*; another program would not be",
}


class Listeners:
    """Listens on loopback and at paths, for each way at other ones, and knows which of them were reached."""

    def __init__(self, folder: Path) -> None:
        self.targets: dict[str, ways_out.Target] = {}
        self.reached: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, "")
        for number, way in enumerate(WAYS):
            self._listen(way, folder / str(number))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _listen(self, way: str, folder: Path) -> None:
        folder.mkdir()
        unix, tcp = socket.socket(socket.AF_UNIX), socket.socket()
        unix.bind(str(folder / "socket"))
        datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        datagrams.bind(str(folder / ways_out.DATAGRAMS))
        for listener in (unix, tcp, _bound(tcp), datagrams):
            if listener.type == socket.SOCK_STREAM:
                listener.listen()
            self._selector.register(listener, selectors.EVENT_READ, way)
        port = tcp.getsockname()[1]
        self.targets[way] = ways_out.Target(port, str(folder / "socket"), str(folder))

    def _accept(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if not key.data:
                    return
                self.reached.add(key.data)
                listener: Any = key.fileobj
                if listener.type == socket.SOCK_DGRAM:
                    listener.recv(1 << 16)
                else:
                    listener.accept()[0].close()

    def close(self) -> None:
        self._waker.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._waker.close()


def _bound(tcp: socket.socket) -> socket.socket:
    """Bind a TCP socket, and return one of UDP with the same port."""
    while True:
        tcp.bind((ways_out.HOST, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            udp.close()
            continue
        return udp


@contextlib.contextmanager
def _child(folder: Path, **options: Any) -> Iterator[Callable[..., protocol.Answer]]:
    """A child, as a function that asks it to run a build function with some values."""
    child = Child(folder, "eu-west-1", Project.of(str(Path.cwd()), sys.path), **options)
    given = {"region": "eu-west-1", "partition": "aws", "pipeline_name": "sample"}

    def ask(function: str, **values: str) -> protocol.Answer:
        reference = FunctionReference("ways_out", function)
        request = CompileRequest(function=reference, values=values, **given)
        answer = child.ask(request, 280, threading.Event())
        assert answer is not None
        return answer

    yield ask
    child.end()


class Results:
    """What came of all ways under each set of guards."""

    def __init__(self, folder: Path) -> None:
        self.reached: dict[str, set[str]] = {}
        self.told: dict[str, dict[str, str]] = {}
        self.guards: dict[str, protocol.Guard] = {}
        self.failed: dict[str, str] = {}
        for name, options in GUARDS.items():
            (folder / name).mkdir()
            self._try(folder / name, name, options)

    def _try(self, folder: Path, name: str, options: dict[str, Any]) -> None:
        listeners = Listeners(folder)
        targets = json.dumps({way: asdict(target) for way, target in listeners.targets.items()})
        with _child(folder / "child", **options) as ask:
            answer = ask("build", Targets=targets)
            listeners.close()
            for way in USED if options == {} else ():
                target = json.dumps(asdict(listeners.targets[way]))
                failed = ask("use", Way=way, Target=target)
                assert isinstance(failed, Failed), failed
                self.failed[way] = failed.error
        assert isinstance(answer, Compiled), answer
        self.reached[name] = listeners.reached
        (shown,) = json.loads(answer.pipeline.body)["Parameters"]
        self.told[name] = json.loads(bytes.fromhex(shown["DefaultValue"]))
        self.guards[name] = answer.guard


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    found = Results(tmp_path_factory.mktemp("w"))
    print(f"\n{'way out: reached with':<28} " + "  ".join(GUARDS))
    for way in WAYS:
        cells = [f"{int(way in found.reached[name]):>{len(name)}}" for name in GUARDS]
        print(f"{way:<28} {'  '.join(cells)}")
    return found


@pytest.mark.parametrize("guards", GUARDS)
def test_what_is_reached_is_what_is_said(results: Results, guards: str) -> None:
    wanted = set(GUARDS[guards].get("guards", protocol.KERNEL_GUARDS))
    missing = wanted & results.guards[guards].missing.keys()
    if missing:
        pytest.skip(f"this kernel has no {missing}")
    assert results.reached[guards] == REACHED[guards]


@pytest.mark.parametrize("guards", GUARDS)
def test_what_goes_through_python_is_told_what_was_refused(results: Results, guards: str) -> None:
    of_its_child = {"multiprocessing_fork", "os_fork_and_exec"}
    told = {way: results.told[guards][way] for way in WAYS if way not in NATIVE | of_its_child}
    assert {way: text for way, text in told.items() if "without AWS; refused the" not in text} == {}


@pytest.mark.parametrize("way", USED)
def test_the_error_says_what_to_do(results: Results, way: str) -> None:
    assert re.search(USED[way], results.failed[way]), results.failed[way]
