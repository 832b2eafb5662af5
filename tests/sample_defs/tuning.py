"""A model that is fine-tuned, for which the SDK asks AWS for a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.train.sft_trainer import SFTTrainer

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

ANSWERS = Path(__file__).parent / "answers.json"


def build(context: PipelineContext) -> Pipeline:
    context.answer_from(ANSWERS)
    resource = f"arn:{context.partition}:sagemaker:{context.region}:{context.account}"
    trainer = SFTTrainer(
        model="meta-textgeneration-llama-3-2-1b-instruct",
        model_package_group=f"{resource}:model-package-group/tuned",
        mlflow_resource_arn=f"{resource}:mlflow-app/app-ABCDEFGHIJKL",
        training_dataset=f"s3://{context.bucket}/train.jsonl",
        s3_output_path=f"s3://{context.bucket}/tuned",
        is_multimodal=False,
        accept_eula=True,
        role=context.role,
        sagemaker_session=context.session,
    )
    step = TrainingStep(name="Tune", step_args=trainer.train())
    return Pipeline(name=context.pipeline_name, steps=[step], sagemaker_session=context.session)
