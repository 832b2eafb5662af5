"""Compile build functions in a child process that has no network, no configuration and no CDK."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.document import read_json, strings
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.source import FunctionReference, PipelineDefinition
from scheduled_pipeline.definition.uploads import RecordedObject, address_by_content

_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from scheduled_pipeline.definition.worker import main
main()
"""

# Read by `_environment`; everything else of the parent's environment stays out of the child.
_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

# Stands for the SDK's configuration files. Empty, because the SDK checks every look-up of a configuration
# that has anything in it against a JSON schema, 0.06 s each.
_SDK_CONFIG_FILE = "{}\n"


class Compiler:
    """A child process for each Region that compiles one build function after the other.

    Use `shared_compiler()`, so that the import of the SDK, which takes seconds, is paid for once
    a synth and Region. Modules keep what they read of the Region when they are imported, so two Regions
    cannot share a process.
    """

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="scheduled-pipeline-")
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._output_seen = 0

    def compile(
        self,
        definition: PipelineDefinition,
        *,
        region: str,
        partition: str,
        pipeline_name: str,
        values: Mapping[str, Value],
        show_output: bool = False,
    ) -> CompiledPipeline:
        """Compile ``definition``, or return it if it was made elsewhere.

        Args:
            definition: what to compile.
            region: the AWS Region, for example ``eu-west-1``; image URIs depend on it.
            partition: the AWS partition of the Region, for example ``aws``.
            pipeline_name: the pipeline's physical name.
            values: what ``context.value(name)`` answers.
            show_output: print what the SDK and the build function printed, on standard error.

        Raises:
            DefinitionError: the build function cannot be found, raised, reached for the network, or
                what it made is not a pipeline definition.
        """
        if definition.compiled is not None:
            return definition.compiled
        reference = definition.function
        assert reference is not None  # one of the two is always set
        answer = self._ask(
            {
                **asdict(reference),
                "region": region,
                "partition": partition,
                "pipeline_name": pipeline_name,
                "values": dict(values),
                "staging": str(self._staging),
            }
        )
        output = self._output()
        if show_output:
            sys.stderr.write(output)
        if "error" in answer:
            raise DefinitionError(f"the build function {reference} {answer['error']}")
        return self._compiled(reference, answer)

    def close(self) -> None:
        """End the child process and remove what it wrote. The files of uploads are gone after this."""
        for region in list(self._processes):
            self._end(region)
        self._directory.cleanup()

    @property
    def _staging(self) -> Path:
        return Path(self._directory.name) / "uploads"

    def _compiled(self, reference: FunctionReference, answer: Mapping[str, Any]) -> CompiledPipeline:
        source = f"the build function {reference}"
        recorded = [
            RecordedObject(
                bucket=entry["bucket"],
                key=entry["key"],
                sha256=entry["sha256"],
                staged_path=self._staging / entry["sha256"],
                by_sdk=entry["by_sdk"],
            )
            for entry in answer["uploads"]
        ]
        document = read_json(answer["definition"], source)
        document, uploads = address_by_content(document, recorded, source)
        self._check_hermetic(document, source)
        return CompiledPipeline.from_document(
            document,
            uploads=uploads,
            pipeline_name=answer["pipeline_name"],
            values_read=frozenset(answer["values_read"]),
            source=source,
        )

    def _check_hermetic(self, document: Mapping[str, Any], source: str) -> None:
        """Refuse a definition that names a folder of this machine: no other machine has it."""
        folders = [self._directory.name, str(Path.cwd())]
        for path, text in strings(document):
            for folder in folders:
                if _names(text, folder):
                    raise DefinitionError(
                        f"{source} left a path of this machine in the definition, at {path}: {text!r:.200}"
                    )

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        region = request["region"]
        process = self._processes.get(region) or self._start(region)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        except BaseException:  # an interrupt: the answer would be taken for that of the next request
            process.kill()
            self._end(region)
            raise
        if not line:
            code = self._end(region)
            raise DefinitionError(
                f"the process that runs {request['module']}:{request['function']} ended with code {code} "
                f"before it answered; its output:\n{self._output()}"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self, region: str) -> subprocess.Popen[str]:
        root = Path(self._directory.name)
        for name in ("home", "tmp", "uploads"):
            (root / name).mkdir(exist_ok=True)
        (root / "sagemaker.yaml").write_text(_SDK_CONFIG_FILE, encoding="utf-8")
        path = [entry or str(Path.cwd()) for entry in sys.path]
        with (root / "output.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-s", "-c", _BOOT, json.dumps(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(root, region),
                encoding="utf-8",
            )
        self._processes[region] = process
        return process

    def _end(self, region: str) -> int:
        """Close the pipes to a child, which ends it if it still runs; returns its exit code."""
        process = self._processes.pop(region)
        with contextlib.suppress(BrokenPipeError):
            process.communicate()
        return process.returncode

    def _output(self) -> str:
        """Return what was printed since the last call."""
        with (Path(self._directory.name) / "output.log").open("rb") as log:
            log.seek(self._output_seen)
            printed = log.read()
        self._output_seen += len(printed)
        return printed.decode("utf-8", errors="replace")


def _environment(root: Path, region: str) -> dict[str, str]:
    """Return the child's whole environment: nothing of the user's but where programs are found."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "HOME": str(root / "home"),
        "USERPROFILE": str(root / "home"),
        "TMPDIR": str(root / "tmp"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "offline",
        "AWS_SECRET_ACCESS_KEY": "offline",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(root / "sagemaker.yaml"),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(root / "sagemaker.yaml"),
    }


def _names(text: str, folder: str) -> bool:
    """Whether a text names a folder or what is below it; one right below the root may be a container's."""
    if len(Path(folder).parts) < 3:
        return False
    at = text.find(folder)
    return at >= 0 and text[at + len(folder) :][:1] in {"", "/", os.sep, " ", '"', "'", ":"}


@cache
def shared_compiler() -> Compiler:
    """Return the compiler of this process; it is closed when the process ends."""
    compiler = Compiler()
    atexit.register(compiler.close)
    return compiler
