"""This app without a child process and without a cache: the SDK is imported and run in the app's own process.

What teams do who call the SDK inside their CDK app, but with the same offline session and the same checks, so
that the templates are the same.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from scheduled_pipeline import compilation
from scheduled_pipeline.definition.compiler.child_process import _environment
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.sandbox.completion import Built, complete
from scheduled_pipeline.definition.sandbox.protocol import Request


class InProcess:
    """Stands in for the compiler."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="naive-"))
        (self._root / "sagemaker.yaml").write_text("{}\n", encoding="utf-8")
        self._worker: Any = None

    def prefetch(self, *_: Any, **__: Any) -> None:
        """Do nothing ahead."""

    def compile(self, definition: PipelineDefinition, *, region: str, **given: Any) -> CompiledPipeline:
        """Compile in this process."""
        from scheduled_pipeline.definition.sandbox.builder import Builder

        function = definition.function
        assert function is not None
        if self._worker is None:
            os.environ.update(_environment(self._root, region))
            self._worker = Builder()
        wanted = {name: given[name] for name in ("partition", "pipeline_name", "values")}
        staging = self._root / "uploads"
        staging.mkdir(exist_ok=True)
        request = Request(
            module=function.module, function=function.function, region=region, staging=str(staging), **wanted
        )
        built = self._worker.build(request)
        assert isinstance(built, Built), built
        return complete(built, function=str(function), folders=[])


if __name__ == "__main__":
    import app

    in_process = InProcess()
    compilation.shared_compiler = lambda: in_process  # type: ignore[attr-defined, assignment]
    app.warm_up = lambda *_, **__: None  # type: ignore[attr-defined]
    app.main()
