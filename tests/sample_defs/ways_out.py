"""Ways in which a build function, or what it calls, could reach something outside."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    from scheduled_pipeline import PipelineContext

HOST = "127.0.0.1"
SECONDS = 8.0
DATAGRAMS = "unix-dgram"


@dataclass(frozen=True)
class Target:
    """Where somebody listens: a TCP and a UDP port of the same number, a Unix socket; and a folder."""

    port: int
    path: str
    folder: str

    @property
    def program(self) -> list[str]:
        """Another program that reaches it."""
        code = f"import socket; socket.create_connection(({HOST!r}, {self.port}), 3)"
        return [sys.executable, "-S", "-E", "-c", code]

    @property
    def command(self) -> str:
        """It as a shell reads it."""
        program = self.program
        return f'{" ".join(program[:-1])} "{program[-1]}"'


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _inet(port: int) -> bytes:
    return struct.pack("H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(HOST) + bytes(8)


def _check(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def python_socket(target: Target) -> None:
    socket.create_connection((HOST, target.port), 3)


def python_udp(target: Target) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (HOST, target.port))


def python_unix_socket(target: Target) -> None:
    socket.socket(socket.AF_UNIX).connect(target.path)


def python_getaddrinfo(target: Target) -> None:
    _ask_for_names(target)
    socket.getaddrinfo("name.example", 80)


def urllib(target: Target) -> None:
    from urllib.request import urlopen

    urlopen(f"http://{HOST}:{target.port}/", timeout=3)


def requests(target: Target) -> None:
    import requests

    requests.get(f"http://{HOST}:{target.port}/", timeout=3)


def ctypes_socket(target: Target) -> None:
    libc, address = _libc(), _inet(target.port)
    _check(libc.connect(libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0), address, len(address)))


def ctypes_sendto(target: Target) -> None:
    libc, address = _libc(), _inet(target.port)
    udp = libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
    _check(libc.sendto(udp, b"x", ctypes.c_size_t(1), 0, address, len(address)))


def ctypes_sendmsg(target: Target) -> None:
    libc, address = _libc(), ctypes.create_string_buffer(_inet(target.port), 16)
    udp = libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
    _check(libc.sendmsg(udp, struct.pack("PI4xPNPNi4x", ctypes.addressof(address), 16, 0, 0, 0, 0, 0), 0))


def ctypes_unix_socket(target: Target) -> None:
    libc, address = _libc(), struct.pack("H", socket.AF_UNIX) + os.fsencode(target.path) + b"\0"
    _check(libc.connect(libc.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0), address, len(address)))


def ctypes_unix_datagram(target: Target) -> None:
    """Send to a path of ten characters, with which the address is as long as one of the kernel's."""
    os.chdir(target.folder)
    libc, address = _libc(), struct.pack("H", socket.AF_UNIX) + DATAGRAMS.encode()
    unix = libc.socket(socket.AF_UNIX, socket.SOCK_DGRAM, 0)
    _check(libc.sendto(unix, b"x", ctypes.c_size_t(1), 0, address, len(address)))


def python_sendmsg(target: Target) -> None:
    socket.socketpair()[0].sendmsg([b"x"])


def ctypes_getaddrinfo(target: Target) -> None:
    _ask_for_names(target)
    _check(-abs(_libc().getaddrinfo(b"name.example", None, None, ctypes.byref(ctypes.c_void_p()))))


def _ask_for_names(target: Target) -> None:
    """Let the resolver of the C library ask the target's UDP port: see ``struct __res_state``."""
    libc = _libc()
    getattr(libc, "__res_init")()
    state = getattr(libc, "__res_state")
    state.restype = ctypes.c_void_p
    retrans_retry_options_nscount = struct.pack("iiLi", 1, 1, 0x2C1, 1)
    ctypes.memmove(state(), retrans_retry_options_nscount + _inet(target.port), 36)


def pyarrow_s3(target: Target) -> None:
    from pyarrow import fs  # type: ignore[import-untyped]

    place = fs.S3FileSystem(
        endpoint_override=f"{HOST}:{target.port}", scheme="http", region="eu-west-1", anonymous=True
    )
    place.get_file_info("bucket/key")


def pandas_s3(target: Target) -> None:
    import pandas as pd

    options = {"endpoint_url": f"http://{HOST}:{target.port}"}
    pd.read_parquet("s3://bucket/key.parquet", storage_options={"client_kwargs": options, "anon": True})


def multiprocessing_fork(target: Target) -> None:
    _run_in("fork", python_socket, target)


def multiprocessing_fork_native(target: Target) -> None:
    _run_in("fork", ctypes_socket, target)


def multiprocessing_spawn(target: Target) -> None:
    _run_in("spawn", ctypes_socket, target)


def multiprocessing_forkserver(target: Target) -> None:
    _run_in("forkserver", ctypes_socket, target)


def _run_in(method: str, way: Callable[[Target], None], target: Target) -> None:
    process = multiprocessing.get_context(method).Process(target=way, args=[target])  # type: ignore[attr-defined]
    process.start()
    process.join()
    raise OSError(f"ended with code {process.exitcode}")


def joblib(target: Target) -> None:
    from joblib import Parallel, delayed

    Parallel(n_jobs=2)(delayed(ctypes_socket)(target) for _ in range(2))


def subprocess_python(target: Target) -> None:
    subprocess.run(target.program, check=True)


def subprocess_curl(target: Target) -> None:
    subprocess.run(["/usr/bin/curl", "-s", "-m", "3", f"http://{HOST}:{target.port}/"], check=True)


def fork_exec(target: Target) -> None:
    from multiprocessing.util import spawnv_passfds

    os.waitpid(spawnv_passfds(os.fsencode(sys.executable), target.program, []), 0)


def os_system(target: Target) -> None:
    os.system(target.command)


def os_system_named_uname(target: Target) -> None:
    os.system(f"{target.command} || exec /bin/uname")


def os_posix_spawn(target: Target) -> None:
    os.waitpid(os.posix_spawn(sys.executable, target.program, {}), 0)


def os_fork_and_exec(target: Target) -> None:
    if os.fork() == 0:
        try:
            os.execv(sys.executable, target.program)
        except OSError as error:
            sys.stderr.write(f"{error}\n")
        os._exit(1)
    os.wait()


def ctypes_system(target: Target) -> None:
    _check(-_libc().system(os.fsencode(target.command)))


def project_file_uname(target: Target) -> None:
    subprocess.run([_write_uname(target)], check=True)


def uname_first_in_path(target: Target) -> None:
    _write_uname(target)
    subprocess.run(["uname"], env={"PATH": target.folder}, check=True)


def uname_in_working_directory(target: Target) -> None:
    _write_uname(target)
    subprocess.run(["uname"], cwd=target.folder, env={"PATH": ":/usr/bin:/bin"}, check=True)


def _write_uname(target: Target) -> str:
    path = Path(target.folder, "uname")
    path.write_text(f"#!/bin/sh\nexec {target.command}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


WAYS: list[Callable[[Target], None]] = [
    *(python_socket, python_udp, python_unix_socket, python_getaddrinfo, urllib, requests),
    *(ctypes_socket, ctypes_sendto, ctypes_sendmsg, ctypes_unix_socket, ctypes_getaddrinfo),
    *(ctypes_unix_datagram, python_sendmsg),
    *(pyarrow_s3, pandas_s3, multiprocessing_fork, multiprocessing_fork_native, multiprocessing_spawn),
    *(multiprocessing_forkserver, joblib, subprocess_python, subprocess_curl, fork_exec, os_system),
    *(os_system_named_uname, os_posix_spawn, os_fork_and_exec, ctypes_system, project_file_uname),
    *(uname_first_in_path, uname_in_working_directory),
]


def build(context: PipelineContext) -> Pipeline:
    """Try all ways to the targets that are given, and tell what each of them was told."""
    targets = {name: Target(**given) for name, given in json.loads(str(context.value("Targets"))).items()}
    for module in ("pandas", "pyarrow.fs", "requests"):  # once for all
        __import__(module)
    from sample_pipelines import script  # imports the SDK, which the tests do without

    told = {way.__name__: _tried(way, targets[way.__name__]) for way in WAYS}
    pipeline = script(context)
    # In hex, because a definition may hold no path.
    pipeline.parameters[0].default_value = json.dumps(told).encode().hex()
    return pipeline


def _tried(way: Callable[[Target], None], target: Target) -> str:
    """Try one way in a process of its own; returns the error, or an empty text if there was none."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        error = ""
        try:
            way(target)
        except BaseException as raised:
            error = f"{type(raised).__name__}: {raised}"
        os.write(writing, error.encode()[:4000])
        os._exit(0)
    os.close(writing)
    end = time.monotonic() + SECONDS
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return f"took longer than {SECONDS:g} seconds"
        time.sleep(0.01)
    return os.read(reading, 4000).decode(errors="replace")


def use(context: PipelineContext) -> Any:
    """Use one way as a build function does."""
    target = Target(**json.loads(str(context.value("Target"))))
    return globals()[str(context.value("Way"))](target)
