"""The guards of the Linux kernel: an empty network, and a filter of the system calls that connect."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from scheduled_pipeline.definition.sandbox.guard.system_calls import refuse_connections
from scheduled_pipeline.definition.sandbox.protocol import FILTER, NAMESPACE, Guard

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION_3 = 0x20080522


def enter(wanted: Collection[str]) -> Guard:
    """Put this process, and all that it starts, under those of the kernel's guards that there are.

    Must run before there are threads. What was entered cannot be left again.

    Args:
        wanted: which of them to try.
    """
    missing = {}
    for name, guard in _GUARDS.items():
        reason = _entered(guard) if name in wanted else "it was not asked for"
        if reason:
            missing[name] = reason
    return Guard(missing)


def _entered(guard: Callable[[], None]) -> str:
    """Enter one guard; returns why that is not possible, if so."""
    if not sys.platform.startswith("linux"):
        return f"there is none on {sys.platform}"
    try:
        guard()
    except NotImplementedError as error:
        return str(error)
    except OSError as error:
        return f"the kernel does not allow it ({error.strerror})"
    return ""


def _leave_the_network() -> None:
    """Enter a network namespace in which there is nothing, not even a loopback interface that is up.

    Whoever is not root has to enter a user namespace for it, in which this user is the only one; files keep
    their owners. Ubuntu lets everybody make one and then nobody say who is in it, and there is no way back
    from there, so a process that ends tries it first.
    """
    if os.geteuid() == 0:
        _unshare(_CLONE_NEWNET)
        return
    probe = os.fork()
    if probe == 0:
        code = 1
        try:
            _enter_user_namespace()
            code = 0
        except OSError as error:
            code = error.errno or 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(probe, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))
    _enter_user_namespace()


def _enter_user_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    # https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    for name, content in {
        "setgroups": "deny",
        "uid_map": f"{user} {user} 1",
        "gid_map": f"{group} {group} 1",
    }.items():
        Path("/proc/self", name).write_text(content, encoding="ascii")
    _give_up_capabilities()


def _give_up_capabilities() -> None:
    """Be no more in the user namespace than outside: its first process may do everything in it."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc().capset(header, nothing))


def _unshare(flags: int) -> None:
    _check(_libc().unshare(flags))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


_GUARDS: dict[str, Callable[[], None]] = {NAMESPACE: _leave_the_network, FILTER: refuse_connections}
