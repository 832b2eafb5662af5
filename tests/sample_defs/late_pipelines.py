"""Build functions that use what else is in the stack: an image, a role, keys, a queue, a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import step_type_parts as parts
from sagemaker.mlops.workflow.callback_step import CallbackStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext


def trains(context: PipelineContext) -> Pipeline:
    trainer = ModelTrainer(
        training_image=context.value("Image"),
        compute=Compute(
            instance_type=parts.INSTANCE,
            instance_count=1,
            volume_size_in_gb=30,
            volume_kms_key_id=context.value("KeyId"),
        ),
        output_data_config=OutputDataConfig(
            s3_output_path=f"s3://{context.bucket}/models", kms_key_id=context.value("KeyArn")
        ),
        base_job_name="train",
        role=context.value("Role"),
        sagemaker_session=context.session,
    )
    data = InputData(channel_name="train", data_source=context.value("Data"))
    train = TrainingStep(name="Train", step_args=trainer.train(input_data_config=[data]))
    ask = CallbackStep(
        name="Ask", sqs_queue_url=context.value("Queue"), inputs={}, outputs=[], depends_on=[train]
    )
    return parts.pipeline(context, train, ask)
