"""The build function of the fleet that is measured: one processing step, another for each shard."""

from __future__ import annotations

from typing import Any

from sagemaker.core.processing import Processor
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep


def build(context: Any) -> Pipeline:
    """Return the pipeline of one shard."""
    shard = context.value("Shard")
    processor = Processor(
        image_uri=f"{context.account}.dkr.ecr.{context.region}.amazonaws.com/images:1",
        instance_type="ml.m5.large",
        instance_count=1,
        volume_size_in_gb=30 + shard % 50,
        role=context.role,
        sagemaker_session=context.session,
    )
    step = ProcessingStep("Process", step_args=processor.run(arguments=[f"--shard={shard}"]))
    return Pipeline(name=context.pipeline_name, steps=[step], sagemaker_session=context.session)
