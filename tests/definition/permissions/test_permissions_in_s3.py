"""What is granted in S3: the places that a definition tells, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from permission_parts import a_step, document, get, granted, join, reading, the, writing

from scheduled_pipeline.definition.permissions.derive import run_time_places


class TestPlacesInS3:
    @pytest.mark.parametrize(
        ("uri", "pattern"),
        [
            ("s3://bucket/some/prefix", "bucket/some/prefix*"),
            ("s3://bucket", "bucket/*"),
            (join("s3:/", "bucket", "in", "data.csv"), "bucket/in/data.csv*"),
            (join("s3:/", "bucket", "in", get("Execution.PipelineExecutionId"), "x"), "bucket/in/*"),
            (join("s3://bucket/in-", get("Execution.PipelineExecutionId"), on=""), "bucket/in-*"),
            (join("s3:/", "bucket", get("Execution.PipelineName"), "x"), "bucket/My-Pipeline/x*"),
            (join("s3:/", "bucket", get("Parameters.Day"), "x"), "bucket/*"),
            (get("Parameters.Uri"), "given/some/data.csv*"),
            (join("s3:/", get("Parameters.Bucket"), "in"), "given/in*"),
        ],
    )
    def test_that_are_read(self, uri: Any, pattern: str) -> None:
        definition = document(reading(uri))
        bucket, _, key = pattern.partition("/")
        assert granted(definition, "s3:GetObject") == [f"arn:${{Partition}}:s3:::{pattern}"]
        listing = the(definition, "s3:ListBucket")
        assert listing.resources == (f"arn:${{Partition}}:s3:::{bucket}",)
        assert listing.conditions == (("StringLike", "s3:prefix", (key,)),)
        assert granted(definition, "s3:PutObject") == []

    @pytest.mark.parametrize(
        ("uri", "pattern"),
        [
            ("s3://bucket/out", "bucket/out/*"),
            ("s3://bucket/out/", "bucket/out/*"),
            ("s3://bucket", "bucket/*"),
            (join("s3:/", "bucket", "out", get("Execution.PipelineExecutionId"), "x"), "bucket/out/*"),
            (get("Parameters.Uri"), "given/some/data.csv/*"),
        ],
    )
    def test_that_are_written(self, uri: Any, pattern: str) -> None:
        definition = document(writing(uri))
        assert granted(definition, "s3:PutObject") == [f"arn:${{Partition}}:s3:::{pattern}"]
        assert granted(definition, "s3:AbortMultipartUpload") == [f"arn:${{Partition}}:s3:::{pattern}"]
        for action in ("s3:GetObject", "s3:ListBucket", "s3:DeleteObject"):
            assert granted(definition, action) == []

    def test_of_an_earlier_output_are_read_where_it_writes(self) -> None:
        uri = get("Steps.First.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")
        definition = document(writing("s3://bucket/out", "First"), reading(uri, "Second"))
        assert granted(definition, "s3:GetObject") == ["arn:${Partition}:s3:::bucket/out*"]

    def test_of_a_trained_model_are_below_where_the_training_writes(self) -> None:
        train = a_step("Training", {"OutputDataConfig": {"S3OutputPath": "s3://bucket/models"}}, "Train")
        data = {"PrimaryContainer": {"ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}}
        assert granted(document(train, a_step("Model", data)), "s3:GetObject") == [
            "arn:${Partition}:s3:::bucket/models/*"
        ]

    def test_of_one_object_are_that_object(self) -> None:
        model = a_step("Model", {"PrimaryContainer": {"ModelDataUrl": "s3://bucket/model.tar.gz"}})
        assert granted(document(model), "s3:GetObject") == ["arn:${Partition}:s3:::bucket/model.tar.gz"]
        assert granted(document(model), "s3:ListBucket") == []

    def test_of_checkpoints_are_read_and_written(self) -> None:
        train = document(a_step("Training", {"CheckpointConfig": {"S3Uri": "s3://bucket/points"}}))
        assert granted(train, "s3:GetObject") == ["arn:${Partition}:s3:::bucket/points*"]
        assert granted(train, "s3:PutObject") == ["arn:${Partition}:s3:::bucket/points/*"]

    def test_of_property_files_are_read_by_the_service(self) -> None:
        files_ = [{"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}]
        definition = document(writing("s3://bucket/out", PropertyFiles=files_))
        assert granted(definition, "s3:GetObject") == ["arn:${Partition}:s3:::bucket/out*"]

    def test_of_a_json_get_are_read_by_the_service(self) -> None:
        value = {"Std:JsonGet": {"S3Uri": "s3://bucket/results.json", "Path": "a"}}
        choose = a_step(
            "Condition", {"Conditions": [{"Type": "Equals", "LeftValue": value, "RightValue": 1}]}
        )
        assert granted(document(choose), "s3:GetObject") == ["arn:${Partition}:s3:::bucket/results.json"]

    def test_that_are_cleaned_up_are_deleted_and_no_others(self) -> None:
        resources = {"S3": [{"StepName": "A"}, {"StepName": "B", "S3Uris": ["s3://bucket/b/report.json"]}]}
        definition = document(
            writing("s3://bucket/a", "A"),
            writing("s3://bucket/b", "B"),
            a_step("Cleanup", {"Resources": resources}),
        )
        assert granted(definition, "s3:DeleteObject") == [
            "arn:${Partition}:s3:::bucket/a/*",
            "arn:${Partition}:s3:::bucket/b/report.json*",
        ]

    @pytest.mark.parametrize("kind", ["Lambda", "Callback", "EMR"])
    def test_that_others_are_told_of_are_not_granted(self, kind: str) -> None:
        assert granted(document(a_step(kind, {"S3Uri": "s3://bucket/a"})), "s3:GetObject") == []

    @pytest.mark.parametrize(
        "uri",
        [get("Parameters.Late"), get("Steps.Call.OutputParameters['uri']"), 5, "/x", "s3://*/x", "s3://a*/x"],
    )
    def test_that_the_definition_does_not_tell_are_not_granted_but_named(self, uri: Any) -> None:
        definition = document(a_step("Lambda", name="Call"), reading(uri))
        assert granted(definition, "s3:GetObject") == []
        assert run_time_places(definition).unknown == ("Step",)

    @pytest.mark.parametrize(
        ("step", "read", "written"),
        [
            (reading("s3://bucket/a"), False, False),
            (reading(get("Parameters.Uri")), True, False),
            (reading(join("s3://bucket", get("Parameters.Day"))), True, False),
            (reading(join("s3://bucket", get("Execution.PipelineExecutionId"))), False, False),
            (writing(get("Parameters.Uri")), False, True),
            (writing(get("Parameters.Late")), False, True),
        ],
    )
    def test_that_whoever_starts_the_pipeline_may_choose_are_known(
        self, step: dict[str, Any], read: bool, written: bool
    ) -> None:
        places = run_time_places(document(step))
        assert (places.read, places.written) == (read, written)


def test_a_definition_with_a_cycle_of_places_ends() -> None:
    first = reading(get("Steps.B.ProcessingInputs[0].S3Input.S3Uri"), "A")
    second = reading(get("Steps.A.ProcessingInputs[0].S3Input.S3Uri"), "B")
    assert granted(document(first, second), "s3:GetObject") == []
