"""Compile a build function by name, for a pipeline ``sample`` in ``eu-west-1`` unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.model import CompiledPipeline

CompileFunction = Callable[[str], CompiledPipeline]
"""The fixture ``compiled``: takes ``module:function``."""


def compile_function(
    compiler: Compiler,
    function: str,
    *,
    region: str = "eu-west-1",
    values: dict[str, Any] | None = None,
    **options: Any,
) -> CompiledPipeline:
    """Compile it; ``options`` are those of ``Compiler.compile``."""
    return compiler.compile(
        PipelineDefinition.from_function(function),
        region=region,
        partition="aws",
        pipeline_name="sample",
        values=values or {},
        **options,
    )
