"""What the build functions of the step types have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker.core.clarify import BiasConfig, DataConfig
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.lineage.action import Action
from sagemaker.core.lineage.artifact import Artifact
from sagemaker.core.model_monitor.dataset_format import DatasetFormat
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output, StoppingCondition
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.properties import Properties, PropertyFile
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
from sagemaker.mlops.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
)
from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessJobConfig
from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.lineage_step import LineageAssociation, LineageEntityReference, LineageStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.quality_check_step import (
    DataQualityCheckConfig,
)
from sagemaker.mlops.workflow.steps import (
    ProcessingStep,
    Step,
    StepTypeEnum,
    TrainingStep,
)
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext

CODE = Path(__file__).parent / "code"
INSTANCE = "ml.m5.large"
REPORT = PropertyFile(name="Report", output_name="report", path="report.json")


def processing(
    context: PipelineContext, *, property_files: list[PropertyFile] | None = None
) -> ProcessingStep:
    processor = ScriptProcessor(
        image_uri=image(context),
        command=["python3"],
        instance_type=INSTANCE,
        instance_count=1,
        base_job_name="process",
        role=context.role,
        sagemaker_session=context.session,
    )
    output = ProcessingOutput(
        output_name="report",
        s3_output=ProcessingS3Output(
            s3_uri=f"s3://{context.bucket}/report",
            local_path="/opt/ml/processing/report",
            s3_upload_mode="EndOfJob",
        ),
    )
    return ProcessingStep(
        name="Process",
        step_args=processor.run(code=str(CODE / "step.py"), outputs=[output]),
        property_files=property_files,
    )


def trainer(context: PipelineContext) -> ModelTrainer:
    return ModelTrainer(
        training_image=image(context),
        compute=Compute(instance_type=INSTANCE, instance_count=1, volume_size_in_gb=30),
        hyperparameters={"objective": "reg:squarederror"},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{context.bucket}/models"),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
        base_job_name="train",
        role=context.role,
        sagemaker_session=context.session,
    )


def channels(context: PipelineContext, uri: object = None) -> list[InputData]:
    return [InputData(channel_name="train", data_source=uri or f"s3://{context.bucket}/train")]


def training(context: PipelineContext, *, name_of_data: object = None) -> TrainingStep:
    arguments = trainer(context).train(input_data_config=channels(context, name_of_data))
    return TrainingStep(name="Train", step_args=arguments)


def builder(context: PipelineContext, data: object) -> ModelBuilder:
    return ModelBuilder(
        image_uri=image(context),
        s3_model_data_url=data,
        dependencies={},
        role_arn=context.role,
        sagemaker_session=context.session,
    )


def model(context: PipelineContext) -> ModelStep:
    return ModelStep(name="Model", step_args=builder(context, f"s3://{context.bucket}/model.tar.gz").build())


def transform_arguments(context: PipelineContext, model_name: object) -> Any:
    transformer = Transformer(
        model_name=model_name,
        instance_type=INSTANCE,
        instance_count=1,
        output_path=f"s3://{context.bucket}/predictions",
        base_transform_job_name="transform",
        sagemaker_session=context.session,
    )
    return transformer.transform(data=f"s3://{context.bucket}/batch", content_type="text/csv")


def function(context: PipelineContext) -> Lambda:
    arn = f"arn:{context.partition}:lambda:{context.region}:{context.account}:function:existing"
    return Lambda(function_arn=arn, session=context.session)


def lambda_step(context: PipelineContext) -> LambdaStep:
    return LambdaStep(
        name="Call",
        lambda_func=function(context),
        inputs={"a": 1},
        outputs=[LambdaOutput("uri", LambdaOutputTypeEnum.String)],
    )


def check_job(context: PipelineContext) -> CheckJobConfig:
    return CheckJobConfig(
        role=context.role,
        instance_count=1,
        instance_type=INSTANCE,
        volume_size_in_gb=30,
        sagemaker_session=context.session,
    )


def data_quality(context: PipelineContext) -> DataQualityCheckConfig:
    return DataQualityCheckConfig(
        baseline_dataset=f"s3://{context.bucket}/baseline.csv",
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{context.bucket}/quality",
    )


def data_config(context: PipelineContext) -> DataConfig:
    return DataConfig(
        s3_data_input_path=f"s3://{context.bucket}/baseline.csv",
        s3_output_path=f"s3://{context.bucket}/clarify",
        label="label",
        headers=["label", "a", "b"],
        dataset_type="text/csv",
    )


def clarify_check(context: PipelineContext) -> ClarifyCheckStep:
    config = DataBiasCheckConfig(
        data_config=data_config(context),
        data_bias_config=BiasConfig(label_values_or_threshold=[1], facet_name="a"),
        methods=["CI"],
    )
    return ClarifyCheckStep(name="Check", clarify_check_config=config, check_job_config=check_job(context))


class Search(Step):
    """An AutoML step with its request written by hand."""

    def __init__(self, name: str, request: dict[str, Any]) -> None:
        super().__init__(name=name, step_type=StepTypeEnum.AUTOML)
        self._request = request
        self._properties = Properties(step_name=name, step=self, shape_name="DescribeAutoMLJobResponse")

    @property
    def arguments(self) -> dict[str, Any]:
        return self._request

    @property
    def properties(self) -> Properties:
        return self._properties


def search(context: PipelineContext) -> Search:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{context.bucket}/train"}}
    request = {
        "AutoMLJobConfig": {"Mode": "ENSEMBLING", "CompletionCriteria": {"MaxCandidates": 2}},
        "InputDataConfig": [{"TargetAttributeName": "label", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{context.bucket}/automl"},
        "RoleArn": context.role,
    }
    return Search("Search", request)


def serverless_job(context: PipelineContext) -> EMRServerlessJobConfig:
    return EMRServerlessJobConfig(
        job_driver={"sparkSubmit": {"entryPoint": f"s3://{context.bucket}/job.py"}},
        execution_role_arn=context.role,
        name="job",
    )


def lineage(context: PipelineContext) -> LineageStep:
    return LineageStep(
        name="Record",
        actions=[
            Action.create(
                action_name="run",
                source_uri=f"s3://{context.bucket}/run",
                source_type="S3ETag",
                action_type="ModelTraining",
                sagemaker_session=context.session,
            )
        ],
        artifacts=[
            Artifact.create(
                artifact_name="model",
                source_uri=f"s3://{context.bucket}/model.tar.gz",
                artifact_type="Model",
                sagemaker_session=context.session,
            )
        ],
        associations=[
            LineageAssociation(
                source=LineageEntityReference(name="run", type="Action"),
                destination=LineageEntityReference(name="model", type="Artifact"),
                association_type="Produced",
            )
        ],
    )


def endpoint(context: PipelineContext) -> tuple[EndpointConfigStep, EndpointStep]:
    variant = {
        "VariantName": "AllTraffic",
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 1},
    }
    config = EndpointConfigStep(
        name="Config",
        step_args=context.session.create_endpoint_config(
            name="config", production_variants=[variant], role=context.role
        ),
    )
    create = EndpointStep(
        name="Endpoint",
        step_args=context.session.create_endpoint(
            endpoint_name="endpoint", config_name=config.properties.EndpointConfigName
        ),
    )
    return config, create


def image(context: PipelineContext) -> str:
    return f"111122223333.dkr.ecr.{context.region}.amazonaws.com/image:1"


def pipeline(context: PipelineContext, *steps: Any, parameters: list[Any] | None = None) -> Pipeline:
    return Pipeline(
        name=context.pipeline_name,
        parameters=parameters or [],
        steps=list(steps),
        sagemaker_session=context.session,
    )
