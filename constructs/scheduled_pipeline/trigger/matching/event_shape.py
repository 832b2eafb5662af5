"""What is in the events that the factories of ``EventTrigger`` know, as AWS documents them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html. The detail of a
job, an endpoint or a model package has the members of its ``Describe`` call; the documents show some.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduled_pipeline.start_values import StartValue

ANYTHING = StartValue(words="anything", sample="a")
TEXT = StartValue(words="a text", sample="a")
NUMBER = StartValue(words="a number", sample="5", pattern=r"-?[0-9]+(\.[0-9]+)?")
TRUTH = StartValue(words="true or false", sample="true", pattern="true|false")
TIME = StartValue(words="a time", sample="2027-01-04T09:00:00Z", pattern=r"[0-9]{4}-.*")
# SageMaker's documents show the times of jobs and endpoints as milliseconds.
MOMENT = StartValue(words="a time", sample="1583831889050", pattern=r"[0-9].*")
ARN = StartValue(words="an ARN", sample="arn:aws:s3:::bucket", pattern="arn:.*")
IDENTIFIER = StartValue(words="an identifier", sample="17793124-05d4", pattern=r"[0-9A-Za-z._\-]{8,}")
OBJECT = StartValue(words="an object", sample='{"a": 1}', pattern=r"\{.*")
LIST = StartValue(words="a list", sample='["a"]', pattern=r"\[.*")

Fields = Mapping[str, "StartValue | Fields"]

_ENVELOPE: Fields = {
    "version": ANYTHING,
    "id": IDENTIFIER,
    "detail-type": TEXT,
    "source": TEXT,
    "account": ANYTHING,
    "time": TIME,
    "region": TEXT,
    "resources": LIST,
    "replay-name": TEXT,
}


@dataclass(frozen=True, kw_only=True)
class EventShape:
    """The fields of one kind of event.

    Attributes:
        detail_type: as the event has it.
        detail: the fields of its ``detail``; below an object or a list anything may stand.
    """

    detail_type: str
    detail: Fields = field(hash=False)

    def value_at(self, segments: Sequence[str]) -> StartValue | None:
        """What stands at a path, or nothing where the event has no such field.

        Args:
            segments: names, and indexes in brackets, from the top of the event.
        """
        node: StartValue | Fields = {**_ENVELOPE, "detail": self.detail}
        for place, name in enumerate(segments):
            if isinstance(node, StartValue):
                if node not in (OBJECT, LIST, ANYTHING):
                    return None
                return ARN if segments[0] == "resources" and place == 1 else ANYTHING
            if name not in node:
                return None
            node = node[name]
        return node if isinstance(node, StartValue) else OBJECT

    def hint(self, segments: Sequence[str]) -> str:
        """The name that the first unknown one of a path most likely means, or what there is."""
        node: StartValue | Fields = {**_ENVELOPE, "detail": self.detail}
        for place, name in enumerate(segments):
            if isinstance(node, StartValue):
                return f"{'.'.join(segments[:place])} is {node.words}"
            if name not in node:
                near = difflib.get_close_matches(name, node, n=1)
                where = ".".join(segments[:place]) or "it"
                return f"did you mean {near[0]}?" if near else f"{where} has {', '.join(sorted(node))}"
            node = node[name]
        return ""


def _all(kind: StartValue, names: str) -> dict[str, StartValue]:
    return dict.fromkeys(names.split(), kind)


S3_OBJECT_CREATED = EventShape(
    detail_type="Object Created",
    detail={
        "version": ANYTHING,
        "bucket": {"name": TEXT},
        "object": {"key": TEXT, "size": NUMBER, **_all(IDENTIFIER, "etag version-id sequencer")},
        "request-id": IDENTIFIER,
        "requester": ANYTHING,
        "source-ip-address": TEXT,
        "reason": TEXT,
    },
)
TRAINING_JOB = EventShape(
    detail_type="SageMaker Training Job State Change",
    detail={
        **_all(TEXT, "TrainingJobName TrainingJobStatus SecondaryStatus FailureReason ProfilingStatus"),
        **_all(ARN, "TrainingJobArn TuningJobArn LabelingJobArn AutoMLJobArn RoleArn OutputModelPackageArn"),
        **_all(MOMENT, "CreationTime TrainingStartTime TrainingEndTime LastModifiedTime"),
        **_all(NUMBER, "TrainingTimeInSeconds BillableTimeInSeconds BillableTokenCount"),
        **_all(
            TRUTH, "EnableNetworkIsolation EnableInterContainerTrafficEncryption EnableManagedSpotTraining"
        ),
        **_all(LIST, "InputDataConfig SecondaryStatusTransitions FinalMetricDataList"),
        **_all(LIST, "DebugRuleConfigurations DebugRuleEvaluationStatuses"),
        **_all(LIST, "ProfilerRuleConfigurations ProfilerRuleEvaluationStatuses"),
        **_all(OBJECT, "HyperParameters Environment Tags ModelArtifacts AlgorithmSpecification VpcConfig"),
        **_all(OBJECT, "OutputDataConfig ResourceConfig WarmPoolStatus StoppingCondition CheckpointConfig"),
        **_all(
            OBJECT, "DebugHookConfig ExperimentConfig TensorBoardOutputConfig ProfilerConfig RetryStrategy"
        ),
        **_all(OBJECT, "RemoteDebugConfig InfraCheckConfig ServerlessJobConfig MlflowConfig MlflowDetails"),
        **_all(OBJECT, "ModelPackageConfig ProgressInfo"),
    },
)
ENDPOINT = EventShape(
    detail_type="SageMaker Endpoint State Change",
    detail={
        **_all(TEXT, "EndpointName EndpointConfigName EndpointStatus FailureReason"),
        **_all(ARN, "EndpointArn"),
        **_all(MOMENT, "CreationTime LastModifiedTime"),
        **_all(LIST, "ProductionVariants ShadowProductionVariants"),
        **_all(OBJECT, "Tags DataCaptureConfig LastDeploymentConfig AsyncInferenceConfig ExplainerConfig"),
        **_all(OBJECT, "PendingDeploymentSummary MetricsConfig"),
    },
)
MODEL_PACKAGE = EventShape(
    detail_type="SageMaker Model Package State Change",
    detail={
        **_all(TEXT, "ModelPackageName ModelPackageGroupName ModelPackageDescription ModelPackageStatus"),
        **_all(TEXT, "ModelPackageRegistrationType ModelApprovalStatus ApprovalDescription Domain Task"),
        **_all(TEXT, "SamplePayloadUrl SkipModelValidation SourceUri ManagedStorageType"),
        **_all(ARN, "ModelPackageArn"),
        **_all(NUMBER, "ModelPackageVersion"),
        **_all(TRUTH, "CertifyForMarketplace"),
        **_all(TIME, "CreationTime LastModifiedTime"),
        **_all(LIST, "AdditionalInferenceSpecifications UpdatedModelPackageFields"),
        **_all(OBJECT, "InferenceSpecification SourceAlgorithmSpecification ValidationSpecification Tags"),
        **_all(OBJECT, "ModelPackageStatusDetails CreatedBy MetadataProperties ModelMetrics LastModifiedBy"),
        **_all(OBJECT, "DriftCheckBaselines SecurityConfig ModelCard ModelLifeCycle"),
        **_all(OBJECT, "CustomerMetadataProperties"),
    },
)
PIPELINE_EXECUTION = EventShape(
    detail_type="SageMaker Model Building Pipeline Execution Status Change",
    detail={
        **_all(TEXT, "pipelineExecutionDisplayName pipelineExecutionDescription"),
        **_all(TEXT, "currentPipelineExecutionStatus previousPipelineExecutionStatus"),
        **_all(TIME, "executionStartTime executionEndTime"),
        **_all(ARN, "pipelineArn pipelineExecutionArn"),
    },
)

_SHAPES = {
    ("aws.s3", S3_OBJECT_CREATED.detail_type): S3_OBJECT_CREATED,
    **{
        ("aws.sagemaker", shape.detail_type): shape
        for shape in (TRAINING_JOB, ENDPOINT, MODEL_PACKAGE, PIPELINE_EXECUTION)
    },
}


def shape_of(pattern: Mapping[str, object] | None) -> EventShape | None:
    """The shape of the events that a pattern lets through, where they are all of one known kind."""
    named = [(pattern or {}).get(name) for name in ("source", "detail-type")]
    if not all(isinstance(values, list) and len(values) == 1 for values in named):
        return None
    source, detail_type = (values[0] for values in named if isinstance(values, list))
    if not isinstance(source, str) or not isinstance(detail_type, str):
        return None
    return _SHAPES.get((source, detail_type))
