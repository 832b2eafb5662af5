"""A trigger on what the pipeline itself writes or does would start it for ever: no synth lets it through."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Annotations, Stack
from aws_cdk import aws_s3 as s3
from template_parts import NewStack, with_artifacts

from scheduled_pipeline import EventTrigger, PipelineDefinition, ScheduledPipeline
from scheduled_pipeline.definition import placeholders

Watch = Callable[..., list[str]]
RAW = "s3://raw-data"
JOIN = {"Std:Join": {"On": "/", "Values": [RAW, {"Get": "Parameters.Folder"}, "out"]}}
OF_RUN = {"Std:Join": {"On": "/", "Values": [RAW, "raw", {"Get": "Execution.PipelineExecutionId"}]}}
FOLDER = {"Name": "Folder", "Type": "String", "DefaultValue": "raw"}
PLACE = {"Name": "Place", "Type": "String", "DefaultValue": f"{RAW}/raw/out"}


def step(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"Name": "Work", "Type": kind, "Arguments": arguments}


def processing(uri: Any) -> dict[str, Any]:
    output = {
        "OutputName": "out",
        "S3Output": {"S3Uri": uri, "LocalPath": "/out", "S3UploadMode": "EndOfJob"},
    }
    return step("Processing", ProcessingOutputConfig={"Outputs": [output]})


def training(uri: Any, **arguments: Any) -> dict[str, Any]:
    return step("Training", OutputDataConfig={"S3OutputPath": uri}, **arguments)


def function(uri: Any) -> dict[str, Any]:
    """The job of a function with ``@step``, whose own code writes its results to where a model would go."""
    command = ["--s3_base_uri", "s3://elsewhere/fn", "--pipeline_step_name", "Work"]
    return training(uri, AlgorithmSpecification={"ContainerArguments": command})


def made(body: dict[str, Any], *parameters: dict[str, Any]) -> PipelineDefinition:
    document = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [*parameters], "Steps": [body]}
    return PipelineDefinition.from_json(document)


@pytest.fixture
def watch(new_stack: NewStack) -> Watch:
    """Return the warnings of a pipeline with one step and a trigger on the bucket ``raw-data``."""

    def watch(
        body: dict[str, Any],
        *parameters: dict[str, Any],
        given: dict[str, str] | None = None,
        acknowledged: str | None = None,
        trigger: EventTrigger | None = None,
        **ends: Any,
    ) -> list[str]:
        stack = new_stack()
        events = {
            "New": trigger
            or EventTrigger.s3_object_created(bucket_name="raw-data", parameters=given or {}, **ends)
        }
        findings = ["missing-member", "unknown-member"]  # the steps have no more than what is looked at
        pipeline = ScheduledPipeline(
            stack,
            "Training",
            definition=made(body, *parameters),
            pipeline_name="training",
            events=events,
            suppress_findings=findings,
        )
        if acknowledged is not None:
            Annotations.of(pipeline).acknowledge_warning(acknowledged, "it is meant")
        texts = [str(entry.data) for entry in pipeline.node.metadata if entry.type == "aws:cdk:warning"]
        return [text for text in texts if "starts itself" in text or "start it again" in text]

    return watch


class TestAStepThatWritesWhatTheTriggerWaitsFor:
    @pytest.mark.parametrize(
        ("body", "parameters", "ends", "uri"),
        [
            (processing(f"{RAW}/raw/out"), [], {"prefix": "raw/"}, "s3://raw-data/raw/out/"),
            (processing(f"{RAW}/out"), [], {}, "s3://raw-data/out/"),
            (processing(f"{RAW}/raw"), [], {"prefix": "raw/"}, "s3://raw-data/raw/"),
            (processing({"Get": "Parameters.Place"}), [PLACE], {"prefix": "raw/"}, "s3://raw-data/raw/out/"),
            (processing(JOIN), [FOLDER], {"prefix": "raw/"}, "s3://raw-data/raw/out/"),
            (processing(OF_RUN), [], {"prefix": "raw/"}, "s3://raw-data/raw/"),
            (training(f"{RAW}/raw/models"), [], {"prefix": "raw/"}, "s3://raw-data/raw/models/"),
            (training(f"{RAW}/m"), [], {"suffix": ".tar.gz"}, "s3://raw-data/m/"),
            (function(OF_RUN), [], {"prefix": "raw/"}, "s3://raw-data/raw/"),
            (
                training("s3://elsewhere/m", CheckpointConfig={"S3Uri": f"{RAW}/raw/points"}),
                [],
                {"prefix": "raw/"},
                "s3://raw-data/raw/points/",
            ),
            (
                step("Transform", TransformOutput={"S3OutputPath": f"{RAW}/raw/scores"}),
                [],
                {"prefix": "raw/", "suffix": ".out"},
                "s3://raw-data/raw/scores/",
            ),
        ],
    )
    def test_is_refused(
        self, watch: Watch, body: dict[str, Any], parameters: list[Any], ends: dict[str, str], uri: str
    ) -> None:
        message = f"Stack/Training: event 'New': the step 'Work' writes to {uri} ("
        with pytest.raises(ValueError, match=re.escape(message)):
            watch(body, *parameters, **ends)

    def test_is_refused_where_the_trigger_says_so(self, watch: Watch) -> None:
        place = {**PLACE, "DefaultValue": "s3://elsewhere/out"}
        body = processing({"Get": "Parameters.Place"})
        with pytest.raises(ValueError, match="which the trigger waits for"):
            watch(body, place, given={"Place": f"{RAW}/raw/out"}, prefix="raw/")
        joined = {"Std:Join": {"On": "", "Values": ["s3://", {"Get": "Parameters.Place"}, "/raw/out"]}}
        with pytest.raises(ValueError, match="which the trigger waits for"):
            watch(processing(joined), place, given={"Place": "$.detail.bucket.name"}, prefix="raw/")

    def test_is_fine_where_the_trigger_lets_it_write_elsewhere(self, watch: Watch) -> None:
        body = processing({"Get": "Parameters.Place"})
        assert watch(body, PLACE, given={"Place": "s3://elsewhere/out"}, prefix="raw/") == []

    @pytest.mark.parametrize(
        ("body", "ends"),
        [
            (processing(f"{RAW}/out"), {"prefix": "raw/"}),
            (processing("s3://elsewhere/raw"), {"prefix": "raw/"}),
            (training(f"{RAW}/raw/models"), {"prefix": "raw/", "suffix": ".csv"}),
            (step("Transform", TransformOutput={"S3OutputPath": f"{RAW}/raw"}), {"suffix": ".csv"}),
        ],
    )
    def test_is_none_where_it_writes_something_else(
        self, watch: Watch, body: dict[str, Any], ends: dict[str, str]
    ) -> None:
        assert watch(body, **ends) == []

    @pytest.mark.parametrize(
        ("body", "ends"),
        [
            (processing(f"{RAW}/raw"), {"prefix": "raw/in/"}),
            (processing(f"{RAW}/raw/out"), {"prefix": "raw/", "suffix": ".csv"}),
            (function(f"{RAW}/raw/results"), {"prefix": "raw/", "suffix": ".json"}),
            (
                step(
                    "Training",
                    OutputDataConfig={"S3OutputPath": f"{RAW}/raw/m", "CompressionType": "NONE"},
                ),
                {"prefix": "raw/", "suffix": ".csv"},
            ),
        ],
    )
    def test_is_warned_of_where_it_may(
        self, watch: Watch, body: dict[str, Any], ends: dict[str, str]
    ) -> None:
        (warning,) = watch(body, **ends)
        assert "Stack/Training: event 'New': the step 'Work' writes to s3://raw-data/raw" in warning
        assert watch(body, acknowledged="scheduled-pipeline:possible-loop:Work", **ends) == []

    def test_is_warned_of_where_the_pattern_names_no_bucket(self, watch: Watch) -> None:
        pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
        (warning,) = watch(processing(f"{RAW}/out"), trigger=EventTrigger.pattern(pattern))
        assert "the trigger may wait" in warning


class TestABucketOfTheApp:
    @pytest.mark.parametrize("written", ["token", "name", "reference"])
    def test_is_the_same_however_it_is_named(self, new_stack: NewStack, written: str) -> None:
        stack = new_stack()
        bucket = s3.Bucket(stack, "Data", bucket_name="raw-data", event_bridge_enabled=True)
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        names = {"token": bucket.bucket_name, "name": "raw-data", "reference": resource.ref}
        events = {"New": EventTrigger.s3_object_created(bucket_name=names[written])}
        with pytest.raises(ValueError, match="the step 'Work' writes to s3://raw-data/out/"):
            ScheduledPipeline(
                stack,
                "Training",
                definition=made(processing(f"{RAW}/out")),
                events=events,
                suppress_findings=["missing-member"],
            )

    def test_that_is_the_artifact_bucket_is_seen(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        assert placeholders.ARTIFACT_BUCKET in str(with_artifacts(small_definition))
        for prefix, works in (("", False), ("out/", False), ("raw/", True)):
            stack: Stack = new_stack()
            bucket = s3.Bucket(stack, "Data", event_bridge_enabled=True)
            trigger = EventTrigger.s3_object_created(bucket_name=bucket.bucket_name, prefix=prefix)
            pipeline = ScheduledPipeline(
                stack,
                "Training",
                definition=PipelineDefinition.from_json(with_artifacts(small_definition)),
                artifact_bucket=bucket,
            )
            if works:
                pipeline.add_event("New", trigger)
                continue
            with pytest.raises(
                ValueError, match="the step 'Process' writes to s3://<Stack/Data/Resource>/out/"
            ):
                pipeline.add_event("New", trigger)


class TestItsOwnTrainingJobs:
    def test_are_refused(self, watch: Watch) -> None:
        trigger = EventTrigger.training_job_state_change(status="Completed")
        with pytest.raises(ValueError, match=r"the pipeline's own training jobs, pipelines-\.\.\., would"):
            watch(training("s3://elsewhere/m"), trigger=trigger)

    def test_of_a_name_of_their_own_are_refused_too(self, watch: Watch) -> None:
        trigger = EventTrigger.training_job_state_change(name_prefix="abalone-")
        with pytest.raises(ValueError, match=r"own training jobs, abalone-nightly\.\.\., would start"):
            watch(training("s3://elsewhere/m", TrainingJobName="abalone-nightly"), trigger=trigger)

    def test_that_fail_are_warned_of(self, watch: Watch) -> None:
        trigger = EventTrigger.training_job_state_change(status="Failed")
        (warning,) = watch(training("s3://elsewhere/m"), trigger=trigger)
        assert "may start it again" in warning

    def test_are_none_where_it_trains_nothing_or_others_are_named(self, watch: Watch) -> None:
        trigger = EventTrigger.training_job_state_change(status="Completed")
        assert watch(processing("s3://elsewhere/m"), trigger=trigger) == []
        others = EventTrigger.training_job_state_change(name_prefix="abalone-")
        assert watch(training("s3://elsewhere/m"), trigger=others) == []
