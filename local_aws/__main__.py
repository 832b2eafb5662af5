"""``python -m local_aws --port N``: serve local AWS on loopback until interrupted."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec

from local_aws.emulator import process
from local_aws.server import server_python


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="An AWS on your own machine.")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback (default: a free one)")
    parser.add_argument(
        "--execution-seconds",
        type=float,
        default=1.0,
        help="how long a pipeline execution stays Executing before it is Succeeded (default: 1)",
    )
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="stop when stdin is closed, as when the caller dies"
    )
    arguments = parser.parse_args()
    if find_spec("ministack") is None:
        parser.exit(1, f"{sys.prefix} has no MiniStack: run `{server_python()} -m local_aws`.\n")
    process.run(
        arguments.port,
        execution_seconds=arguments.execution_seconds,
        stop_with_stdin=arguments.stop_with_stdin,
    )


if __name__ == "__main__":
    main()
