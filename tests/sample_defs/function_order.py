"""A pipeline that imports the submodules of a package in another order than the other samples."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import step_type_parts as parts

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    from scheduled_pipeline import PipelineContext

for name in ("wsgiref.util", "wsgiref.headers"):
    importlib.import_module(name)


def build(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, parts.training(context))
