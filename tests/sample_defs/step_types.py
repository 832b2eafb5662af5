"""Build functions for the tests of the step types: one small pipeline for each type of the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import step_type_parts as parts
from sagemaker.core.clarify import ModelConfig, SHAPConfig
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.model_monitor.dataset_format import DatasetFormat
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionIn,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.mlops.workflow.automl_step import AutoMLStep
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackStep
from sagemaker.mlops.workflow.clarify_check_step import (
    ClarifyCheckStep,
    ModelExplainabilityCheckConfig,
)
from sagemaker.mlops.workflow.cleanup_step import CleanupStep, S3CleanupSource
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessStep
from sagemaker.mlops.workflow.emr_step import EMRStep, EMRStepConfig
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.for_each_step import CurrentItem, ForEachSelector, ForEachStep, IterationOutput
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.inference_component_step import InferenceComponentStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.monitor_batch_transform_step import MonitorBatchTransformStep
from sagemaker.mlops.workflow.notebook_job_step import NotebookJobStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.quality_check_step import (
    ModelQualityCheckConfig,
    QualityCheckStep,
)
from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition
from sagemaker.mlops.workflow.steps import (
    CacheConfig,
    TransformStep,
    TuningStep,
)
from sagemaker.train.tuner import HyperparameterTuner

if TYPE_CHECKING:
    from scheduled_pipeline import PipelineContext


def processing(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, parts.processing(context))


def training(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, parts.training(context))


def tuning(context: PipelineContext) -> Pipeline:
    tuner = HyperparameterTuner(
        model_trainer=parts.trainer(context),
        objective_metric_name="validation:rmse",
        objective_type="Minimize",
        metric_definitions=[{"Name": "validation:rmse", "Regex": "rmse=([0-9.]+)"}],
        hyperparameter_ranges={"eta": ContinuousParameter(0.1, 0.5)},
        max_jobs=2,
        max_parallel_jobs=1,
    )
    tune = TuningStep(name="Tune", step_args=tuner.tune(inputs=parts.channels(context)))
    best = CallbackStep(
        name="Tell",
        sqs_queue_url="https://sqs.eu-west-1.amazonaws.com/111122223333/queue",
        inputs={
            "best": tune.properties.BestTrainingJob.TrainingJobName,
            "second": tune.get_top_model_s3_uri(top_k=1, s3_bucket=context.bucket, prefix="models"),
        },
        outputs=[],
    )
    return parts.pipeline(context, tune, best)


def transform(context: PipelineContext) -> Pipeline:
    model = parts.model(context)
    arguments = parts.transform_arguments(context, model.properties.ModelName)
    return parts.pipeline(context, model, TransformStep(name="Transform", step_args=arguments))


def model_create(context: PipelineContext) -> Pipeline:
    train = parts.training(context)
    builder = parts.builder(context, train.properties.ModelArtifacts.S3ModelArtifacts)
    return parts.pipeline(context, train, ModelStep(name="Model", step_args=builder.build()))


def model_register(context: PipelineContext) -> Pipeline:
    arguments = parts.builder(context, f"s3://{context.bucket}/model.tar.gz").register(
        model_package_group_name="group",
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=[parts.INSTANCE],
        transform_instances=[parts.INSTANCE],
        approval_status="PendingManualApproval",
    )
    return parts.pipeline(context, ModelStep(name="Register", step_args=arguments))


def condition(context: PipelineContext) -> Pipeline:
    count = ParameterInteger("Count", default_value=1)
    word = ParameterString("Word", default_value="a", enum_values=["a", "b"])
    process = parts.processing(context, property_files=[parts.REPORT])
    score = JsonGet(step_name=process.name, property_file=parts.REPORT, json_path="scores.mse")
    choose = ConditionStep(
        name="Choose",
        conditions=[
            ConditionGreaterThan(left=score, right=0.5),
            ConditionOr(
                [ConditionEquals(left=count, right=1), ConditionIn(value=word, in_values=["a", "b"])]
            ),
            ConditionNot(ConditionEquals(left=word, right="c")),
        ],
        if_steps=[parts.training(context)],
        else_steps=[FailStep(name="Stop", error_message=Join(on=" ", values=["no more than", count]))],
    )
    return parts.pipeline(context, process, choose, parameters=[count, word])


def fail(context: PipelineContext) -> Pipeline:
    choose = ConditionStep(name="Choose", conditions=[ConditionEquals(left=1, right=1)])
    message = Join(on=": ", values=["the outcome is", choose.properties.Outcome])
    return parts.pipeline(context, choose, FailStep(name="Stop", error_message=message))


def callback(context: PipelineContext) -> Pipeline:
    answer = CallbackOutput(output_name="answer")
    ask = CallbackStep(
        name="Ask",
        sqs_queue_url="https://sqs.eu-west-1.amazonaws.com/111122223333/queue",
        inputs={"execution": ExecutionVariables.PIPELINE_EXECUTION_ID, "nested": {"a": [1, 2.5, True]}},
        outputs=[answer],
        cache_config=CacheConfig(enable_caching=True, expire_after="p30d"),
    )
    return parts.pipeline(context, ask, FailStep(name="Stop", error_message=ask.properties.Outputs["answer"]))


def lambda_with_a_function(context: PipelineContext) -> Pipeline:
    call = parts.lambda_step(context)
    return parts.pipeline(context, call, parts.training(context, name_of_data=call.properties.Outputs["uri"]))


def lambda_with_code(context: PipelineContext) -> Pipeline:
    """A function that the SDK would create: it calls Lambda for that while it compiles."""
    function = Lambda(
        function_name="made-by-the-sdk",
        execution_role_arn=context.role,
        script=str(parts.CODE / "step.py"),
        handler="step.handler",
        session=context.session,
    )
    return parts.pipeline(context, LambdaStep(name="Call", lambda_func=function))


def lambda_with_new_code(context: PipelineContext) -> Pipeline:
    """A function that is there, whose code the SDK would change."""
    function = Lambda(
        function_arn=parts.function(context).function_arn,
        script=str(parts.CODE / "step.py"),
        handler="step.handler",
        session=context.session,
    )
    return parts.pipeline(context, LambdaStep(name="Call", lambda_func=function))


def clarify_check(context: PipelineContext) -> Pipeline:
    return parts.pipeline(context, parts.clarify_check(context))


def clarify_check_of_a_model(context: PipelineContext) -> Pipeline:
    config = ModelExplainabilityCheckConfig(
        data_config=parts.data_config(context),
        model_config=ModelConfig(model_name="model", instance_count=1, instance_type=parts.INSTANCE),
        explainability_config=SHAPConfig(baseline=[[0.1, 0.2]], num_samples=5, agg_method="mean_abs"),
    )
    check = ClarifyCheckStep(
        name="Explain", clarify_check_config=config, check_job_config=parts.check_job(context)
    )
    return parts.pipeline(context, check)


def quality_check(context: PipelineContext) -> Pipeline:
    check = QualityCheckStep(
        name="Check",
        quality_check_config=parts.data_quality(context),
        check_job_config=parts.check_job(context),
        skip_check=False,
        register_new_baseline=True,
        model_package_group_name="group",
    )
    stop = FailStep(name="Stop", error_message=check.properties.CalculatedBaselineStatistics)
    return parts.pipeline(context, check, stop)


def quality_check_of_a_model(context: PipelineContext) -> Pipeline:
    config = ModelQualityCheckConfig(
        baseline_dataset=f"s3://{context.bucket}/baseline.csv",
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{context.bucket}/quality",
        problem_type="Regression",
        inference_attribute="prediction",
        ground_truth_attribute="label",
    )
    job = parts.check_job(context)
    check = QualityCheckStep(name="Check", quality_check_config=config, check_job_config=job)
    return parts.pipeline(context, check)


def emr(context: PipelineContext) -> Pipeline:
    run = EMRStep(
        name="Run",
        display_name="Run",
        description="Run on a cluster that is there",
        cluster_id="j-1ABCDEFGHIJKL",
        step_config=EMRStepConfig(
            jar="command-runner.jar", args=["spark-submit", f"s3://{context.bucket}/a.py"]
        ),
    )
    return parts.pipeline(context, run, FailStep(name="Stop", error_message=run.properties.Config.Jar))


def emr_with_a_cluster(context: PipelineContext) -> Pipeline:
    group = {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}
    run = EMRStep(
        name="Run",
        display_name="Run",
        description="Run on a cluster of its own",
        cluster_id=None,
        cluster_config={
            "ReleaseLabel": "emr-7.1.0",
            "Applications": [{"Name": "Spark"}],
            "ServiceRole": "EMR_DefaultRole",
            "JobFlowRole": "EMR_EC2_DefaultRole",
            "Instances": {"InstanceGroups": [group]},
        },
        step_config=EMRStepConfig(jar="command-runner.jar", args=["spark-submit"], main_class="Main"),
    )
    return parts.pipeline(context, run)


def emr_serverless(context: PipelineContext) -> Pipeline:
    run = EMRServerlessStep(
        name="Run",
        display_name="Run",
        description="Run in an application that is there",
        job_config=parts.serverless_job(context),
        application_id="00f1abcdefgh2345",
    )
    return parts.pipeline(context, run)


def emr_serverless_with_an_application(context: PipelineContext) -> Pipeline:
    run = EMRServerlessStep(
        name="Run",
        display_name="Run",
        description="Run in an application of its own",
        job_config=parts.serverless_job(context),
        application_config={"name": "application", "releaseLabel": "emr-7.1.0", "type": "SPARK"},
    )
    return parts.pipeline(context, run)


def automl(context: PipelineContext) -> Pipeline:
    """The SDK has the step but no longer the class whose request it takes."""
    return parts.pipeline(context, AutoMLStep(name="Search", step_args=None))


def automl_by_hand(context: PipelineContext) -> Pipeline:
    search = parts.search(context)
    best = search.properties.BestCandidate.InferenceContainers[0].ModelDataUrl
    return parts.pipeline(
        context, search, ModelStep(name="Model", step_args=parts.builder(context, best).build())
    )


def notebook_job(context: PipelineContext) -> Pipeline:
    notebook = NotebookJobStep(
        name="Notebook",
        notebook_job_name="notebook",
        input_notebook=str(parts.CODE.parent / "notebooks" / "notebook.ipynb"),
        image_uri=parts.image(context),
        kernel_name="python3",
        role=context.role,
        s3_root_uri=f"s3://{context.bucket}/notebooks",
        parameters={"a": "1"},
    )
    return parts.pipeline(context, notebook)


def monitor_batch_transform(context: PipelineContext) -> Pipeline:
    monitor = MonitorBatchTransformStep(
        name="Monitor",
        transform_step_args=parts.transform_arguments(context, "model"),
        monitor_configuration=parts.data_quality(context),
        check_job_configuration=parts.check_job(context),
        monitor_before_transform=True,
    )
    return parts.pipeline(context, monitor)


def monitor_batch_transform_step_by_step(context: PipelineContext) -> Pipeline:
    """The two steps that the collection consists of."""
    monitor = MonitorBatchTransformStep(
        name="Monitor",
        transform_step_args=parts.transform_arguments(context, "model"),
        monitor_configuration=parts.data_quality(context),
        check_job_configuration=parts.check_job(context),
        monitor_before_transform=True,
    )
    return parts.pipeline(context, *monitor.steps)


def for_each(context: PipelineContext) -> Pipeline:
    items = ParameterString("Items", default_value='["a", "b"]')
    body = LambdaStep(
        name="Call",
        lambda_func=parts.function(context),
        inputs={"item": CurrentItem(), "field": CurrentItem().name},
        outputs=[LambdaOutput("score", LambdaOutputTypeEnum.Float)],
    )
    loop = ForEachStep(
        name="Loop",
        iterable_items=items,
        max_concurrency=2,
        for_each_body=[body],
        selector=ForEachSelector("MaxBy", IterationOutput(body).OutputParameters["score"]),
    )
    values = [loop.properties.Status, loop.properties.InputItemCount.to_string()]
    values.append(loop.properties.IterationOutputs[0].Call.OutputParameters["score"])
    stop = FailStep(name="Stop", error_message=Join(on=" ", values=values))
    return parts.pipeline(context, loop, stop, parameters=[items])


def endpoint(context: PipelineContext) -> Pipeline:
    config, create = parts.endpoint(context)
    return parts.pipeline(context, config, create)


def inference_component(context: PipelineContext) -> Pipeline:
    config, create = parts.endpoint(context)
    arguments = context.session.create_inference_component(
        inference_component_name="component",
        endpoint_name=create.properties.EndpointName,
        variant_name="AllTraffic",
        specification={
            "ModelName": "model",
            "ComputeResourceRequirements": {"NumberOfCpuCoresRequired": 1.0, "MinMemoryRequiredInMb": 1024},
        },
        runtime_config={"CopyCount": 1},
    )
    component = InferenceComponentStep(name="Component", step_args=arguments)
    return parts.pipeline(context, config, create, component)


def lineage(context: PipelineContext) -> Pipeline:
    record = parts.lineage(context)
    stop = FailStep(name="Stop", error_message=record.properties.ActionArns["run"])
    return parts.pipeline(context, record, stop)


def cleanup(context: PipelineContext) -> Pipeline:
    process, train = parts.processing(context), parts.training(context)
    clean = CleanupStep(
        name="Clean",
        s3_sources=[
            S3CleanupSource(process, [f"s3://{context.bucket}/report/report.json"]),
            S3CleanupSource(train),
        ],
        depends_on=[StepDependency(train, TriggerCondition.ANY)],
    )
    return parts.pipeline(context, process, train, clean)


def function_step(context: PipelineContext) -> Pipeline:
    settings = {"image_uri": parts.image(context), "instance_type": parts.INSTANCE, "role": context.role}
    first = step(_double, name="First", **settings)(2)
    second = step(_double, name="Second", **settings)(first[0])
    choose = ConditionStep(
        name="Choose",
        conditions=[ConditionGreaterThan(left=first[1], right=3)],
        if_steps=[],
        else_steps=[],
    )
    return parts.pipeline(context, second, choose)


def _double(number: int) -> tuple[int, int]:
    return number, 2 * number
