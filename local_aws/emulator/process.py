"""The server process: MiniStack with this package's services, on a loopback port, in a temporary home."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from local_aws.protocol import READY

_HOST: Final = "127.0.0.1"
# Settings of MiniStack and LocalStack that would bring in state, containers or other ports from outside.
_FOREIGN_PREFIXES: Final = ("MINISTACK_", "LOCALSTACK_", "LAMBDA_", "S3_", "SFTP_", "IOT_")
_FOREIGN_NAMES: Final = ("SERVICES", "AUTH", "USE_SSL", "EDGE_PORT", "IAM_LOG_ONLY")


def run(port: int, *, execution_seconds: float, stop_with_stdin: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        port: 0 takes a free one; the readiness line on stdout names it.
        execution_seconds: how long a pipeline execution stays ``Executing``.
        stop_with_stdin: stop also when stdin is closed, which happens when the process at its other end dies.
    """
    with socket.socket() as listener, tempfile.TemporaryDirectory(prefix="local-aws-") as home:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(128)
        _prepare_environment(listener.getsockname()[1], Path(home))
        asyncio.run(_serve(listener, execution_seconds, stop_with_stdin=stop_with_stdin))


def _prepare_environment(port: int, home: Path) -> None:
    """MiniStack reads its settings from the environment when it is imported, so they are set before."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_NAMES:
            del os.environ[name]
    os.environ.update(
        BIND_HOST=_HOST,
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="localhost",
        HOME=str(home),
        TMPDIR=str(home),
        STATE_DIR=str(home / "state"),
        S3_DATA_DIR=str(home / "s3"),
        PERSIST_STATE="0",
        LOG_LEVEL="ERROR",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # A socket that is not there: MiniStack removes containers it takes for its own at start and stop.
        DOCKER_HOST=f"unix://{home}/no-docker.sock",
    )
    tempfile.tempdir = str(home)


async def _serve(listener: socket.socket, execution_seconds: float, *, stop_with_stdin: bool) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from local_aws.emulator import extension, ticker

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    if stop_with_stdin:
        loop.add_reader(sys.stdin, stop.set)
    config = Config()
    url = f"http://localhost:{listener.getsockname()[1]}"
    config.bind = [f"fd://{listener.detach()}"]  # Hypercorn closes it
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "ERROR"
    app: Any = extension.install(on_ready=lambda: print(READY + url, flush=True))
    ticking = asyncio.create_task(ticker.run(stop, execution_seconds=execution_seconds))
    await serve(app, config, shutdown_trigger=stop.wait)
    await ticking
