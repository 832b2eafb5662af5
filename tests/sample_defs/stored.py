"""A compiled pipeline with one upload, and a cache that has it, made without any compile."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.model import CompiledPipeline, PackedPipeline, PackedUpload
from scheduled_pipeline.definition.project import Project, Reads

STEP = {"Name": "A", "Type": "Fail", "Arguments": {}}
BODY = json.dumps({"Version": "2020-12-01", "Steps": [STEP]}, indent=2)
CONTENT = b"print('a step')"
READS = Reads({}, [])


def request(number: int = 0, module: str = "defs") -> CompileRequest:
    """Return a request, another one for each number."""
    return CompileRequest(
        function=FunctionReference(module, "build"),
        region="eu-west-1",
        partition="aws",
        pipeline_name=f"pipeline{number}",
    )


def compiled(staging: Path, content: bytes) -> CompiledPipeline:
    """Return a compiled pipeline that uploads some content."""
    upload = PackedUpload("d" * 64, "step.py", (("", hashlib.sha256(content).hexdigest()),))
    return PackedPipeline(BODY, "a", (), (upload,), findings=()).unpack(staging, "a test")


def store(cache: CompiledCache, project: Project, number: int = 0, content: bytes = CONTENT) -> None:
    """Put a compiled pipeline into a cache."""
    staging = cache.folder.parent / f"staging-{threading.get_ident()}"
    staging.mkdir(exist_ok=True)
    (staging / hashlib.sha256(content).hexdigest()).write_bytes(content)
    cache.store(request(number), project, READS, compiled(staging, content))


def entry(cache: CompiledCache) -> Path:
    """Return the one entry that a cache has."""
    (found,) = cache.folder.glob("entries/*/*.json")
    return found
