"""Run a ``@step`` function in its container, in the place of the SDK's ``invoke_function``.

The SDK looks for the pickled function below the S3 folder where it writes results. Here the function comes
with an input channel of the job, from files that only a deployment can write; the rest is left to the SDK.

This file is uploaded beside the SDK's own runtime scripts and has to work without the project around it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHANNEL = "step_function"
"""The input channel with the function and its arguments, as the SDK stores them."""
FUNCTION_DIGEST, ARGUMENTS_DIGEST = "--function_sha256", "--arguments_sha256"
"""The options with the SHA-256 of the two payloads, in hex."""
_PAYLOAD = "payload.pkl"


def main(command: list[str], channels: Path) -> None:
    """Run the function that the channel holds, with the SDK's own code, and end the process.

    Args:
        command: the options of the job's container, the SDK's and the two above.
        channels: the folder with a folder for each input channel.
    """
    from sagemaker.core.remote_function import invoke_function
    from sagemaker.core.s3 import S3Downloader

    S3Downloader.read_bytes = staticmethod(
        _reader(_parse(command), channels / CHANNEL, S3Downloader.read_bytes)
    )
    try:
        invoke_function.main(command)
    except SystemExit as end:
        # The SDK ends with 0 if it cannot write the function's exception to S3: the job would be Completed.
        if end.code == 0 and end.__context__ is not None:
            raise SystemExit(1) from end.__context__
        raise


def _parse(command: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for option in ("--s3_base_uri", "--pipeline_step_name", "--func_step_s3_dir"):
        parser.add_argument(option, required=True)
    parser.add_argument(FUNCTION_DIGEST, dest="function", required=True)
    parser.add_argument(ARGUMENTS_DIGEST, dest="arguments", required=True)
    return parser.parse_known_args(command)[0]


def _reader(options: argparse.Namespace, folder: Path, from_s3: Any) -> Any:
    """Return what reads the step's own code from the channel, and all else from S3 as before."""
    own = "/".join(
        (options.s3_base_uri.rstrip("/"), options.pipeline_step_name, options.func_step_s3_dir, "")
    )
    digests = {f"{part}/{_PAYLOAD}": getattr(options, part) for part in ("function", "arguments")}

    def read_bytes(s3_uri: str, sagemaker_session: Any = None) -> bytes:
        name = s3_uri.removeprefix(own)
        if name == s3_uri or name.split("/")[0] not in {"function", "arguments"}:
            return bytes(from_s3(s3_uri, sagemaker_session=sagemaker_session))
        return _checked(folder / name, name, digests)

    return read_bytes


def _checked(file: Path, name: str, digests: Mapping[str, str]) -> bytes:
    """Return the content of a file of the channel, if it is the one that the definition was made with."""
    content = file.read_bytes()
    if name in digests and hashlib.sha256(content).hexdigest() != digests[name]:
        raise ValueError(f"{name} is not what the definition of the pipeline was made with")
    return content


if __name__ == "__main__":
    main(sys.argv[1:], Path(__file__).resolve().parents[1])
