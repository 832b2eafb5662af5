"""A small project in a folder of its own, to see what the cache takes for a change; it needs no SDK."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference, PipelineDefinition
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.project import Project

_PIPELINE = """
import json
from pathlib import Path

HERE = Path(__file__).parent

class Pipeline:
    steps = ()

    def __init__(self, name, text):
        self.name, self.text = name, text if isinstance(text, dict) else str(text)

    def definition(self):
        step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": self.text}}
        return json.dumps({"Version": "2020-12-01", "Steps": [step]})

def build(context):
    return Pipeline(context.pipeline_name, text(context))

"""


@dataclass
class Lab:
    """A project folder, a cache and a compiler.

    Attributes:
        folder: the project, which is also the working directory.
        cache: its cache.
        compiler: started by the first compile.
    """

    folder: Path
    cache: CompiledCache
    compiler: Compiler = field(default_factory=Compiler)

    def enter(self, monkeypatch: Any) -> None:
        """Make this folder what a synth would be started in."""
        kept = [
            entry
            for entry in sys.path
            if "-packages" in entry or entry.startswith(str(Path(os.__file__).parent))
        ]
        constructs = Path(sys.modules["scheduled_pipeline"].__path__[0]).parent
        monkeypatch.setattr(sys, "path", [str(self.folder), *kept, str(constructs)])
        monkeypatch.chdir(self.folder)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def define(self, path: str, code: str) -> str:
        """Write a module whose definition says what ``text(context)`` returns; return its name."""
        self.write(path, _PIPELINE + textwrap.dedent(code))
        return path.removesuffix(".py").replace("/", ".")

    def compile(self, module: str, **changes: Any) -> CompiledPipeline:
        """Compile a module's ``build``."""
        definition = PipelineDefinition.from_function(f"{module}:build")
        given = {"region": "eu-west-1", "partition": "aws", "pipeline_name": "lab", "values": {}, **changes}
        return self.compiler.compile(definition, cache=self.cache, **given)

    def text(self, module: str, **changes: Any) -> Any:
        """Return what the compiled definition of a module says."""
        return self.compile(module, **changes).document["Steps"][0]["Arguments"]["ErrorMessage"]

    def is_hit(self, module: str, **changes: Any) -> bool:
        """Whether the cache has what a new synth would ask for."""
        given = {"region": "eu-west-1", "partition": "aws", "pipeline_name": "lab", "values": {}, **changes}
        request = CompileRequest(function=FunctionReference(module, "build"), **given)
        return self.cache.find(request, self.project()) is not None

    def project(self) -> Project:
        """Return the project as a new synth would see it."""
        return Project.of(str(Path.cwd()), sys.path, [str(self.cache.folder)])

    def changes(self, module: str, change: Callable[[], object]) -> tuple[Any, bool, Any]:
        """Compile, change something, compile; return the text before, whether it is a hit, the text after."""
        before = self.text(module)
        assert self.is_hit(module)
        change()
        return before, self.is_hit(module), self.text(module)
