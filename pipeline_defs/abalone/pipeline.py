"""The abalone pipeline: train a model, measure it, and register it if it is good enough.

The graph is the one of the SageMaker Pipelines tutorial, written for version 3 of the SageMaker
Python SDK (https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html)::

    AbaloneProcess -> AbaloneTrain -> AbaloneEval -> AbaloneMSECond
        mse <= MseThreshold: AbaloneCreateModel -> AbaloneTransform -> AbaloneRegisterModel
        otherwise:           AbaloneMSEFail

What an execution writes goes under ``s3://{context.bucket}/{context.pipeline_name}/``: the models under
``models/{training job}/``, all else under ``{execution id}/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sagemaker.core import image_uris
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    StoppingCondition,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

CODE = Path(__file__).parent / "code"
INSTANCE_TYPE = "ml.m5.xlarge"
SKLEARN_VERSION = "1.2-1"
XGBOOST_VERSION = "1.7-1"

EVALUATION_REPORT = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
MSE_PATH = "regression_metrics.mse.value"

# The service compares the arguments of a step, not what lies behind an S3 URI, so a file that was replaced
# counts as unchanged. Twelve hours let a failed run be started again without paying twice, and make the next
# nightly run do its work.
# https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
CACHE = CacheConfig(enable_caching=True, expire_after="PT12H")

STEP_RETRIES = [
    StepRetryPolicy(
        exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
        interval_seconds=10,
        max_attempts=5,
    ),
]
# An unattended nightly run should outlive a short lack of instances, but not wait into the morning.
JOB_RETRIES = [
    *STEP_RETRIES,
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
        failure_reason_types=[
            SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
            SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
        ],
        interval_seconds=60,
        expire_after_mins=120,
    ),
]


class Parameters(NamedTuple):
    """What whoever starts an execution may change."""

    processing_instance_count: ParameterInteger
    training_instance_type: ParameterString
    model_approval_status: ParameterString
    input_data_url: ParameterString
    batch_data_url: ParameterString
    mse_threshold: ParameterFloat


def build(context: PipelineContext) -> Pipeline:
    """Return the abalone pipeline for the given bucket, role, region and name."""
    parameters = _parameters(context)
    process = _process_step(context, parameters)
    train = _train_step(context, parameters, process)
    evaluate = _evaluate_step(context, process, train)
    create_model = _create_model_step(context, train)
    transform = _transform_step(context, parameters, create_model)
    register = _register_step(context, parameters, train, evaluate, after=transform)
    condition = ConditionStep(
        name="AbaloneMSECond",
        conditions=[ConditionLessThanOrEqualTo(left=_mse(evaluate), right=parameters.mse_threshold)],
        if_steps=[create_model, transform, register],
        else_steps=[_fail_step(parameters)],
    )
    return Pipeline(
        name=context.pipeline_name,
        parameters=list(parameters),
        steps=[process, train, evaluate, condition],
        sagemaker_session=context.session,
    )


def _parameters(context: PipelineContext) -> Parameters:
    # The public bucket that the tutorial copies its two files from. There is one a Region, so the jobs read
    # from where they run, and a new deployment can run without an upload. The China and GovCloud
    # partitions may have none: give both URIs there.
    samples = f"s3://sagemaker-servicecatalog-seedcode-{context.region}/dataset"
    return Parameters(
        processing_instance_count=ParameterInteger(name="ProcessingInstanceCount", default_value=1),
        training_instance_type=ParameterString(name="TrainingInstanceType", default_value=INSTANCE_TYPE),
        model_approval_status=ParameterString(
            name="ModelApprovalStatus",
            default_value="PendingManualApproval",
            enum_values=["PendingManualApproval", "Approved", "Rejected"],
        ),
        input_data_url=ParameterString(name="InputDataUrl", default_value=f"{samples}/abalone-dataset.csv"),
        batch_data_url=ParameterString(name="BatchDataUrl", default_value=f"{samples}/abalone-dataset-batch"),
        mse_threshold=ParameterFloat(name="MseThreshold", default_value=6.0),
    )


def _process_step(context: PipelineContext, parameters: Parameters) -> ProcessingStep:
    """Clean the raw file and split it into train, validation and test sets."""
    processor = ScriptProcessor(
        image_uri=_sklearn_image(context),
        command=["python3"],
        instance_type=INSTANCE_TYPE,
        instance_count=parameters.processing_instance_count,
        max_runtime_in_seconds=3600,
        base_job_name="abalone-process",
        role=context.role,
        sagemaker_session=context.session,
    )
    return ProcessingStep(
        name="AbaloneProcess",
        step_args=processor.run(
            code=str(CODE / "preprocess.py"),
            inputs=[_processing_input("raw", parameters.input_data_url)],
            outputs=[_processing_output(context, name) for name in ("train", "validation", "test")],
        ),
        cache_config=CACHE,
        retry_policies=JOB_RETRIES,
    )


def _train_step(context: PipelineContext, parameters: Parameters, process: ProcessingStep) -> TrainingStep:
    """Fit SageMaker's built-in XGBoost to the train set."""
    trainer = ModelTrainer(
        training_image=_xgboost_image(context),
        compute=Compute(
            instance_type=parameters.training_instance_type, instance_count=1, volume_size_in_gb=30
        ),
        hyperparameters={
            "objective": "reg:squarederror",
            "num_round": 50,
            "max_depth": 5,
            "eta": 0.2,
            "gamma": 4,
            "min_child_weight": 6,
            "subsample": 0.7,
        },
        # SageMaker adds the job's name to this path, which keeps executions apart.
        output_data_config=OutputDataConfig(
            s3_output_path=f"s3://{context.bucket}/{context.pipeline_name}/models"
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
        base_job_name="abalone-train",
        role=context.role,
        sagemaker_session=context.session,
    )
    channels = [
        InputData(channel_name=name, data_source=_output_uri(process, name), content_type="text/csv")
        for name in ("train", "validation")
    ]
    return TrainingStep(
        name="AbaloneTrain",
        step_args=trainer.train(input_data_config=channels),
        cache_config=CACHE,
        retry_policies=JOB_RETRIES,
    )


def _evaluate_step(context: PipelineContext, process: ProcessingStep, train: TrainingStep) -> ProcessingStep:
    """Measure the model on the test set; the report is what the condition reads."""
    processor = ScriptProcessor(
        image_uri=_xgboost_image(context),
        command=["python3"],
        instance_type=INSTANCE_TYPE,
        instance_count=1,
        max_runtime_in_seconds=3600,
        base_job_name="abalone-eval",
        role=context.role,
        sagemaker_session=context.session,
    )
    return ProcessingStep(
        name="AbaloneEval",
        step_args=processor.run(
            code=str(CODE / "evaluate.py"),
            inputs=[
                _processing_input("model", train.properties.ModelArtifacts.S3ModelArtifacts),
                _processing_input("test", _output_uri(process, "test")),
            ],
            outputs=[_processing_output(context, EVALUATION_REPORT.output_name)],
        ),
        property_files=[EVALUATION_REPORT],
        cache_config=CACHE,
        retry_policies=JOB_RETRIES,
    )


def _create_model_step(context: PipelineContext, train: TrainingStep) -> ModelStep:
    return ModelStep(
        name="AbaloneCreateModel",
        step_args=_model_builder(context, train).build(),
        retry_policies=STEP_RETRIES,
    )


def _transform_step(
    context: PipelineContext, parameters: Parameters, create_model: ModelStep
) -> TransformStep:
    """Score the batch file, whose rows have the columns of the train set without the first one."""
    transformer = Transformer(
        model_name=create_model.properties.ModelName,
        instance_type=INSTANCE_TYPE,
        instance_count=1,
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=_execution_uri(context, "transform"),
        base_transform_job_name="abalone-transform",
        sagemaker_session=context.session,
    )
    return TransformStep(
        name="AbaloneTransform",
        step_args=transformer.transform(
            data=parameters.batch_data_url, content_type="text/csv", split_type="Line"
        ),
        retry_policies=JOB_RETRIES,
    )


def _register_step(
    context: PipelineContext,
    parameters: Parameters,
    train: TrainingStep,
    evaluate: ProcessingStep,
    *,
    after: TransformStep,
) -> ModelStep:
    """Add the model and its metrics to the registry, once it has scored the batch file."""
    report = Join(
        on="/", values=[_output_uri(evaluate, EVALUATION_REPORT.output_name), EVALUATION_REPORT.path]
    )
    return ModelStep(
        name="AbaloneRegisterModel",
        step_args=_model_builder(context, train).register(
            # The pipeline's own name, as far as the 63 characters go that a group's may have.
            model_package_group_name=context.pipeline_name[:63].rstrip("-"),
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", INSTANCE_TYPE],
            transform_instances=[INSTANCE_TYPE],
            approval_status=parameters.model_approval_status,
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(content_type="application/json", s3_uri=report)
            ),
        ),
        depends_on=[after],
        retry_policies=STEP_RETRIES,
    )


def _fail_step(parameters: Parameters) -> FailStep:
    return FailStep(
        name="AbaloneMSEFail",
        error_message=Join(
            on=" ",
            values=[
                "the mean squared error on the test set is above MseThreshold:",
                parameters.mse_threshold,
            ],
        ),
    )


def _mse(evaluate: ProcessingStep) -> JsonGet:
    return JsonGet(step_name=evaluate.name, property_file=EVALUATION_REPORT, json_path=MSE_PATH)


def _model_builder(context: PipelineContext, train: TrainingStep) -> ModelBuilder:
    """Return a new builder, since one cannot be used for two steps."""
    return ModelBuilder(
        image_uri=_xgboost_image(context),
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        # The container serves the model as it is. The default, to look for dependencies, would make the
        # registered model one with a script, whose name is empty.
        dependencies={},
        role_arn=context.role,
        sagemaker_session=context.session,
    )


def _sklearn_image(context: PipelineContext) -> str:
    image: str = image_uris.retrieve(
        framework="sklearn",
        region=context.region,
        version=SKLEARN_VERSION,
        py_version="py3",
        instance_type=INSTANCE_TYPE,
    )
    return image


def _xgboost_image(context: PipelineContext) -> str:
    image: str = image_uris.retrieve(
        framework="xgboost", region=context.region, version=XGBOOST_VERSION, instance_type=INSTANCE_TYPE
    )
    return image


def _processing_input(name: str, s3_uri: object) -> ProcessingInput:
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=s3_uri,
            local_path=f"/opt/ml/processing/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
        ),
    )


def _processing_output(context: PipelineContext, name: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=_execution_uri(context, name),
            local_path=f"/opt/ml/processing/{name}",
            s3_upload_mode="EndOfJob",
        ),
    )


def _execution_uri(context: PipelineContext, name: str) -> Join:
    """Return an S3 prefix that no other execution writes to."""
    execution_id = ExecutionVariables.PIPELINE_EXECUTION_ID
    return Join(on="/", values=["s3:/", context.bucket, context.pipeline_name, execution_id, name])


def _output_uri(step: ProcessingStep, name: str) -> object:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri
