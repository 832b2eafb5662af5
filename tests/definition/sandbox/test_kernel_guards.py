"""The kernel's guards take away the network and nothing else, or say why they are not there."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.definition.sandbox.guard import kernel, programs, system_calls
from scheduled_pipeline.definition.sandbox.protocol import FILTER, KERNEL_GUARDS, NAMESPACE, Guard

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these are guards of Linux")
NOBODY = 54321
ALLOWED = 0x7FFF0000
UNREACHABLE = 0x00050000 | errno.ENETUNREACH
NOT_THERE = 0x00050000 | errno.ENOSYS


def test_the_guards_are_named_with_the_reasons_of_those_that_are_missing() -> None:
    assert str(Guard({})) == "network namespace and filter of system calls"
    assert str(Guard({NAMESPACE: "so"})) == "filter of system calls; no network namespace, because so"
    none = Guard({NAMESPACE: "so", FILTER: "thus"})
    assert str(none) == (
        "audit hook only; no network namespace, because so; no filter of system calls, because thus"
    )


def test_elsewhere_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert kernel.enter(KERNEL_GUARDS).missing == dict.fromkeys(KERNEL_GUARDS, "there is none on darwin")


def test_a_guard_that_was_not_asked_for_is_missing() -> None:
    assert kernel.enter(()).missing == dict.fromkeys(KERNEL_GUARDS, "it was not asked for")


@LINUX
def test_there_is_no_filter_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert kernel.enter((FILTER,)).missing[FILTER] == "it is not written for s390x"


@LINUX
def test_there_is_no_filter_for_a_32_bit_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "maxsize", (1 << 31) - 1)
    assert kernel.enter((FILTER,)).missing[FILTER] == "it is not written for a 32-bit Python"


@LINUX
def test_a_kernel_that_refuses_the_namespace_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(flags: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(kernel, "_unshare", refuse)
    reason = kernel.enter((NAMESPACE,)).missing[NAMESPACE]
    assert reason == "the kernel does not allow it (Operation not permitted)"


@LINUX
@pytest.mark.process
def test_where_nobody_may_say_who_is_in_a_user_namespace_none_is_entered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Ubuntu: it is tried in a process that ends, because there is no way back out of it."""
    tried_in = []

    def enter_half_of_it() -> None:
        tried_in.append(os.getpid())
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(kernel, "_enter_user_namespace", enter_half_of_it)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    reason = kernel.enter((NAMESPACE,)).missing[NAMESPACE]
    assert reason == "the kernel does not allow it (Operation not permitted)"
    assert tried_in == []  # in this process


_AS_NOBODY = """
import ctypes, json, os, signal, sys, pathlib, socket
sys.path[:0] = json.loads(sys.argv[1])
from scheduled_pipeline.definition.sandbox import forked
from scheduled_pipeline.definition.sandbox.guard import kernel
from scheduled_pipeline.definition.sandbox.protocol import KERNEL_GUARDS
libc = ctypes.CDLL(None)
folder = pathlib.Path(sys.argv[2])
os.chdir(folder)  # the folders above it are closed to others
folder = pathlib.Path()
if os.getuid() == 0:
    os.chown(folder, int(sys.argv[3]), int(sys.argv[3]))
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[3]))
    libc.prctl(4, 1)  # PR_SET_DUMPABLE, which an exec would do
before = os.getuid(), os.getgid()
forked.adopt_orphans()
guard = kernel.enter(KERNEL_GUARDS)
(folder / "locked").touch(mode=0)
try:
    (folder / "locked").read_text()
    locked = False
except PermissionError:
    locked = True
watched = os.fork()
if watched == 0:
    libc.prctl(1, signal.SIGKILL)
    signal_at_end = ctypes.c_int()
    libc.prctl(2, ctypes.byref(signal_at_end))
    os._exit(signal_at_end.value)
ends_with_its_parent = os.waitstatus_to_exitcode(os.waitpid(watched, 0)[1])
middle = os.fork()
if middle == 0:
    os.setpgid(0, 0)
    orphan = os.fork()
    if orphan == 0:
        signal.pause()
    os._exit(0)
os.waitpid(middle, 0)
orphans = len(forked._children())
forked.end_orphans()
print(json.dumps({
    "missing": dict(guard.missing),
    "same user": before == (os.getuid(), os.getgid()),
    "owner": [os.stat("locked").st_uid, os.getuid()],
    "locked": locked,
    "capabilities": pathlib.Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0],
    "ends with its parent": ends_with_its_parent,
    "orphans": [orphans, len(forked._children())],
    "interfaces": [name for _, name in socket.if_nameindex()],
}))
"""


@LINUX
@pytest.mark.process
def test_who_is_not_root_is_still_the_same_user_with_no_more_rights(tmp_path: Path) -> None:
    path = json.dumps([str(Path(sys.modules["scheduled_pipeline"].__path__[0]).parent)])
    command = [sys.executable, "-c", _AS_NOBODY, path, str(tmp_path), str(NOBODY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    missing = found.pop("missing")
    if missing:
        pytest.skip(f"this kernel has no {missing}")
    user = found["owner"][1]
    assert found == {
        "same user": True,
        "owner": [user, user],
        "locked": True,
        "capabilities": "0" * 16,
        "ends with its parent": signal.SIGKILL,
        "orphans": [1, 0],
        "interfaces": ["lo"],
    }


def _verdict(machine: system_calls._Machine, number: int, *arguments: int, arch: int | None = None) -> int:
    """Run the filter as the kernel would."""
    call = struct.pack("<iIQ6Q", number, arch or machine.number, 0, *arguments, *[0] * (6 - len(arguments)))
    code = system_calls._filter(machine)
    loaded = position = 0
    while True:
        operation, if_so, if_not, operand = struct.unpack_from("HBBI", code, 8 * position)
        position += 1
        if operation == 0x20:
            (loaded,) = struct.unpack_from("<I", call, operand)
        elif operation == 0x54:
            loaded &= operand
        elif operation == 0x06:
            return int(operand)
        else:
            so = loaded == operand if operation == 0x15 else loaded >= operand
            position += if_so if so else if_not


@pytest.mark.parametrize("name", system_calls._MACHINES)
def test_the_filter_refuses_what_has_an_address_and_nothing_else(name: str) -> None:
    machine = system_calls._MACHINES[name]
    refused = {machine.connect, machine.sendmsg, machine.sendmmsg}
    assert {number for number in range(600) if _verdict(machine, number) == UNREACHABLE} == refused
    assert {number for number in range(600) if _verdict(machine, number) == NOT_THERE} == {425}
    to_peer, to_kernel = (3, 1, 1, 0, 0, 0), (3, 1, 1, 0, 0x7FFF12345678, 12)
    assert [_verdict(machine, machine.sendto, *call) for call in (to_peer, to_kernel)] == [ALLOWED, ALLOWED]
    for address in (0x12345678, 0x100000000, 0x7FFF12345678):
        assert _verdict(machine, machine.sendto, 3, 1, 1, 0, address, 16) == UNREACHABLE


def test_the_filter_knows_the_calls_of_its_machine_alone() -> None:
    machine = system_calls._MACHINES["x86_64"]
    assert _verdict(machine, 0x40000000 + 42) == NOT_THERE  # x32
    assert _verdict(machine, machine.connect, arch=0xC00000B7) == ALLOWED  # an emulator's


@pytest.mark.parametrize(("name", "arch"), [("x86_64", 0x40000003), ("aarch64", 0x40000028)])
def test_a_32_bit_program_does_not_run(name: str, arch: int) -> None:
    """Its calls have other numbers; and a 64-bit program can make them, too."""
    machine = system_calls._MACHINES[name]
    assert {_verdict(machine, number, arch=arch) for number in range(600)} == {NOT_THERE}


@pytest.mark.parametrize("name", system_calls._MACHINES)
def test_there_are_no_datagrams_to_a_path(name: str) -> None:
    """One to a path of ten characters has an address of twelve bytes, as one to the kernel has."""
    machine = system_calls._MACHINES[name]
    flags = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        for of_it in (kind, kind | flags):
            assert _verdict(machine, machine.socket, socket.AF_UNIX, of_it) == UNREACHABLE
            assert _verdict(machine, machine.socket, socket.AF_INET, of_it) == ALLOWED
            assert _verdict(machine, machine.socket, socket.AF_NETLINK, of_it) == ALLOWED
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        assert _verdict(machine, machine.socket, socket.AF_UNIX, kind | flags) == ALLOWED


@LINUX
@pytest.mark.skipif(platform.machine() not in system_calls._MACHINES, reason="there is no filter for it")
@pytest.mark.process
def test_the_numbers_are_those_of_this_machine() -> None:
    """Without the filter each of them says that there is no such file descriptor."""
    machine, libc = system_calls._MACHINES[platform.machine()], ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.create_string_buffer(64)
    for number in (machine.connect, machine.sendto, machine.sendmsg, machine.sendmmsg):
        assert libc.syscall(number, -1, nothing, 1, 0, nothing, 16) == -1
        assert ctypes.get_errno() == errno.EBADF
    assert libc.syscall(machine.socket, -1, 0, 0) == -1
    assert ctypes.get_errno() == errno.EAFNOSUPPORT


def test_a_program_without_a_path_is_another_one() -> None:
    """So ``subprocess`` tells of it on Windows."""
    event = (None, ["git", "status"], None, None)
    assert not programs.is_harmless("subprocess.Popen", event)
    assert programs.program_of(event) == "git"
