"""Refuses connections, look-ups of hosts, and other programs, as far as they go through Python.

It is not the last guard, which is ``kernel``, but the one that tells the user which line it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from scheduled_pipeline.definition.sandbox.guard.programs import (
    Program,
    is_harmless,
    program_of,
    tell_of_programs,
)
from scheduled_pipeline.definition.sandbox.offline_aws import OfflineAws, ProgramRefusedError

# https://docs.python.org/3/library/audit_events.html
_CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_UNSEEN = "use send or sendall: the kernel's guard does not see to whom a message of sendmsg goes"
_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
_PROGRAMS = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile"),
    "_winapi.CreateProcess",
}
_IN_HERE = (
    "another program would not be bound to what a build function may do: do it before the synth, and read "
    "what came of it from a file of the project"
)
# What `multiprocessing` and loky would start.
_NO_PYTHON = (
    "another Python would not be bound to what a build function may do: do the work in this process, in its "
    "threads, or in processes of multiprocessing.get_context('fork')"
)


def refuse_ways_out(aws: Callable[[], OfflineAws]) -> None:
    """Refuse them for the rest of this process, and of what is forked from it.

    An audit hook sees them whatever library is used; it cannot be taken out again, so only the
    child calls this. Another program would not be bound by it, and could say anything.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in _CONNECTIONS:
            address = args[1] if len(args) > 1 else None
            if address is None:  # `sendmsg` on a socket that is connected
                aws().refuse("the message by sendmsg", _UNSEEN)
            place = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else repr(address)
            aws().refuse(f"the connection to {place}")
        elif event in _LOOK_UPS:
            aws().refuse(f"the look-up of the host {args[0]}")
        elif event in _PROGRAMS and not is_harmless(event, args):
            refuse_program(program_of(args))

    def refuse_program(program: str) -> None:
        python = os.path.basename(program).startswith("python") or program == sys.executable  # noqa: PTH119
        aws().refuse(f"the program {program}", _NO_PYTHON if python else _IN_HERE, ProgramRefusedError)

    def refuse_unless_harmless(program: Program) -> None:
        if not program.is_harmless:
            refuse_program(program.path)

    tell_of_programs(refuse_unless_harmless)
    sys.addaudithook(hook)
