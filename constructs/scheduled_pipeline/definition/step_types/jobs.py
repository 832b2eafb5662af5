"""The types of steps that run a job of SageMaker's.

The arguments of a step are the request of its API, less what the service gives itself. Retry policies: the
steps of https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html and the classes
``ConfigurableRetryStep`` of the SDK. Caching: the steps of pipelines-caching.html and of the SDK. Logs:
https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html and monitoring-cloudwatch.html.
"""

from __future__ import annotations

from collections.abc import Iterator

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, sagemaker, sagemaker_actions
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.created import Created
from scheduled_pipeline.definition.step_types.shape_notation import enum, like, structure
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

PROCESSING_JOB = Created(noun="ProcessingJob", kind="processing-job", is_job=True)
PROCESSING_LOGS = "/aws/sagemaker/ProcessingJobs"
_TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
_TRANSFORM_LOGS = "/aws/sagemaker/TransformJobs"

PROCESSING = StepType(
    name="Processing",
    arguments="ProcessingArguments",
    properties=("sagemaker:DescribeProcessingJobResponse",),
    shapes={
        "ProcessingArguments": like("sagemaker:CreateProcessingJobRequest", filled_in=["ProcessingJobName"])
    },
    members={"PropertyFiles": "PropertyFiles"},
    cached=True,
    retried=True,
    entries={"Outputs": "OutputName", "ProcessingInputs": "InputName"},
    permissions=Permissions(created=PROCESSING_JOB),
    log_groups=(PROCESSING_LOGS,),
)

TRAINING = StepType(
    name="Training",
    arguments="TrainingArguments",
    properties=("sagemaker:DescribeTrainingJobResponse",),
    shapes={"TrainingArguments": like("sagemaker:CreateTrainingJobRequest", filled_in=["TrainingJobName"])},
    cached=True,
    retried=True,
    entries={"InputDataConfig": "ChannelName"},
    permissions=Permissions(created=Created(noun="TrainingJob", kind="training-job", is_job=True)),
    log_groups=(_TRAINING_LOGS,),
)

TUNING = StepType(
    name="Tuning",
    arguments="TuningArguments",
    properties=(
        "sagemaker:DescribeHyperParameterTuningJobResponse",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJobResponse",
    ),
    shapes={
        "TuningArguments": like(
            "sagemaker:CreateHyperParameterTuningJobRequest", filled_in=["HyperParameterTuningJobName"]
        )
    },
    cached=True,
    retried=True,
    permissions=Permissions(
        created=Created(
            noun="HyperParameterTuningJob",
            kind="hyper-parameter-tuning-job",
            is_job=True,
            short_names=True,
            actions=("sagemaker:ListTrainingJobsForHyperParameterTuningJob",),
        )
    ),
    log_groups=(_TRAINING_LOGS,),
)

TRANSFORM = StepType(
    name="Transform",
    arguments="TransformArguments",
    properties=("sagemaker:DescribeTransformJobResponse",),
    shapes={
        "TransformArguments": like("sagemaker:CreateTransformJobRequest", filled_in=["TransformJobName"])
    },
    cached=True,
    retried=True,
    permissions=Permissions(created=Created(noun="TransformJob", kind="transform-job", is_job=True)),
    log_groups=(_TRANSFORM_LOGS,),
)

_AUTOML_JOB = Created(noun="AutoMLJob", kind="automl-job", is_job=True, short_names=True)
# CreateAutoMLJob API: Execution Role Permissions, in sagemaker-roles.html.
_CANDIDATES = {
    "model": ("CreateModel", "DescribeModel", "DeleteModel"),
    "endpoint-config": ("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
    "endpoint": ("CreateEndpoint", "DescribeEndpoint", "DeleteEndpoint", "InvokeEndpoint"),
}


def _candidates(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what an AutoML job makes to try its candidates."""
    for kind, verbs in _CANDIDATES.items():
        resources = sagemaker(kind, _AUTOML_JOB.prefixes(step))
        actions = sagemaker_actions(*verbs, "AddTags")
        yield allow(actions, resources, "the job tries candidates", step=step.name)


AUTOML = StepType(
    name="AutoML",
    arguments="AutoMLArguments",
    properties=("sagemaker:DescribeAutoMLJobResponse", "AutoMLProperties"),
    shapes={
        # AutoMLStep.arguments of the SDK: these two "cannot be included", and the one mode is ENSEMBLING.
        "AutoMLArguments": like(
            "sagemaker:CreateAutoMLJobRequest",
            filled_in=["AutoMLJobName"],
            without=["ModelDeployConfig", "GenerateCandidateDefinitionsOnly"],
            members={"AutoMLJobConfig": "pipeline:AutoMLJobConfig"},
            needed=["AutoMLJobConfig"],
        ),
        "AutoMLJobConfig": like(
            "sagemaker:AutoMLJobConfig", members={"Mode": "pipeline:AutoMLMode"}, needed=["Mode"]
        ),
        "AutoMLMode": enum("ENSEMBLING"),
        "AutoMLProperties": structure({"BestCandidateProperties": "BestCandidateProperties"}),
        "BestCandidateProperties": structure(
            {"ModelInsightsJsonReportPath": "String", "ExplainabilityJsonReportPath": "String"}
        ),
    },
    cached=True,
    retried=True,
    permissions=Permissions(created=_AUTOML_JOB, needs=(_candidates,)),
    log_groups=(PROCESSING_LOGS, _TRAINING_LOGS, _TRANSFORM_LOGS),
)


def _in_categories(step: PlacedStep, resolver: Resolver) -> tuple[str, ...]:
    return sagemaker(_JOB.kind, [f"*/{name}" for name in _JOB.names(step, resolver)])


_JOB = Created(noun="Job", kind="job", is_job=True, beside=_in_categories)
JOB = StepType(
    name="Job",
    arguments="JobArguments",
    properties=("sagemaker:DescribeJobResponse", "JobProperties"),
    shapes={
        "JobArguments": like("sagemaker:CreateJobRequest", filled_in=["JobName"]),
        # A string that holds JSON; a reference may descend into it (JobStep of the SDK).
        "JobProperties": structure({"JobConfigDocument": "Anything"}),
    },
    cached=True,
    retried=True,
    permissions=Permissions(created=_JOB),
)
