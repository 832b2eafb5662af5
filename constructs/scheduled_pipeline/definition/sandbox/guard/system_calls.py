"""A filter of system calls that leaves a process, and all that it starts, no way to connect to anything.

An audit hook does not see what C or C++ code does, and a network namespace does not hold for Unix sockets,
which have a path, nor for those of virtual machines. In the end all of it is one of a few system calls.
https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER = 1
# Without it kernels before 5.16 turn a protection on that makes everything slower, and is for code that may
# not be trusted with what the process knows.
_SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4

# Places in what the filter sees of a call, `struct seccomp_data`; both machines are little-endian.
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
# https://www.kernel.org/doc/html/latest/networking/filter.html
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
# Numbers from here on are those of x32, under which every call has a second number.
_X32 = 0x40000000
_IO_URING_SETUP = 425
_SIZE_OF_NETLINK_ADDRESS = 12
_AF_UNIX, _SOCK_STREAM, _SOCK_SEQPACKET = 1, 1, 5
_SOCK_TYPE_MASK = 0xF  # what is above are flags, such as SOCK_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class _Machine:
    """The numbers of system calls of a machine, and its own and its 32-bit one's in ``linux/audit.h``."""

    number: int
    number_32: int
    seccomp: int
    socket: int
    connect: int
    sendto: int
    sendmsg: int
    sendmmsg: int


# arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
_MACHINES = {
    "x86_64": _Machine(
        number=0xC000003E,
        number_32=0x40000003,
        seccomp=317,
        socket=41,
        connect=42,
        sendto=44,
        sendmsg=46,
        sendmmsg=307,
    ),
    "aarch64": _Machine(
        number=0xC00000B7,
        number_32=0x40000028,
        seccomp=277,
        socket=198,
        connect=203,
        sendto=206,
        sendmsg=211,
        sendmmsg=269,
    ),
}


def refuse_connections() -> None:
    """Have the kernel refuse, from now on, every call that names whom to talk to.

    Raises:
        OSError: it does not.
        NotImplementedError: nor can it here.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise NotImplementedError(f"it is not written for {platform.machine()}")
    if sys.maxsize < 1 << 32:  # the filter would take every call from it, that to end too
        raise NotImplementedError("it is not written for a 32-bit Python")
    libc = ctypes.CDLL(None, use_errno=True)
    code = _filter(machine)
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(instructions))
    # Both are for good, and hold for what is started too.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    arguments = (_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_SPEC_ALLOW, program)
    if libc.syscall(machine.seccomp, *arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # An emulator of another machine may take a filter that it does not heed.
    libc.connect(-1, None, 0)
    if ctypes.get_errno() != errno.ENETUNREACH:
        raise NotImplementedError("it is taken here and not heeded")


def _filter(machine: _Machine) -> bytes:
    """Return the filter, an instruction in eight bytes.

    Of the jumps only the distance counts, over so many instructions if it is so and over so many if not.
    """
    address, size = _ARGUMENTS + 4 * 8, _ARGUMENTS + 5 * 8
    return b"".join(
        [
            _instruction(_LOAD, _MACHINE),
            _instruction(_IF_EQUAL, machine.number, 3, 0),
            # A 64-bit program can make 32-bit calls, too. Other machines are an emulator's.
            _instruction(_IF_EQUAL, machine.number_32, 0, 1),
            _instruction(_RETURN, _ERROR | errno.ENOSYS),
            _instruction(_RETURN, _ALLOW),
            _instruction(_LOAD, _NUMBER),
            _instruction(_IF_AT_LEAST, _X32, 0, 1),
            _instruction(_RETURN, _ERROR | errno.ENOSYS),
            # What asks for io_uring goes on without; what is asked through it is seen by no filter.
            _instruction(_IF_EQUAL, _IO_URING_SETUP, 0, 1),
            _instruction(_RETURN, _ERROR | errno.ENOSYS),
            _instruction(_IF_EQUAL, machine.connect, 17, 0),
            _instruction(_IF_EQUAL, machine.sendmsg, 16, 0),
            _instruction(_IF_EQUAL, machine.sendmmsg, 15, 0),
            _instruction(_IF_EQUAL, machine.sendto, 8, 0),
            _instruction(_IF_EQUAL, machine.socket, 1, 0),
            _instruction(_RETURN, _ALLOW),
            # There is no Unix socket for datagrams: to a path of ten characters it could send, as the address
            # is then of the size that is let through below. Those of `socketpair` have no need of an address.
            _instruction(_LOAD, _ARGUMENTS),
            _instruction(_IF_EQUAL, _AF_UNIX, 0, 11),
            _instruction(_LOAD, _ARGUMENTS + 8),
            _instruction(_AND, _SOCK_TYPE_MASK),
            _instruction(_IF_EQUAL, _SOCK_STREAM, 8, 0),
            _instruction(_IF_EQUAL, _SOCK_SEQPACKET, 7, 6),
            # One without an address goes to whom the socket is connected to, as one of `socketpair` is. One
            # of this size asks the kernel itself, as `getifaddrs` does: those of networks are longer.
            _instruction(_LOAD, size),
            _instruction(_IF_EQUAL, _SIZE_OF_NETLINK_ADDRESS, 5, 0),
            _instruction(_LOAD, address),
            _instruction(_IF_EQUAL, 0, 0, 2),
            _instruction(_LOAD, address + 4),
            _instruction(_IF_EQUAL, 0, 1, 0),
            _instruction(_RETURN, _ERROR | errno.ENETUNREACH),
            _instruction(_RETURN, _ALLOW),
        ]
    )


def _instruction(code: int, operand: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, operand)
