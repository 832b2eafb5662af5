"""The artifact bucket, and the key that encrypts it."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template
from template_parts import (
    NIGHTLY,
    NewStack,
    pipeline_body,
    policy_statements,
    text_of,
    with_artifacts,
)

from scheduled_pipeline import PipelineDefinition, ScheduledPipeline


class TestTheKey:
    def test_encrypts_schedules_queue_and_bucket(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack,
            "Training",
            definition=PipelineDefinition.from_json(with_artifacts(small_definition)),
            schedules={"Nightly": NIGHTLY},
            encryption_key=kms.Key(stack, "Key"),
        )
        template = Template.from_stack(stack)
        (key,) = template.find_resources("AWS::KMS::Key")
        arn = {"Fn::GetAtt": [key, "Arn"]}
        template.has_resource_properties("AWS::Scheduler::Schedule", {"KmsKeyArn": arn})
        template.has_resource_properties("AWS::SQS::Queue", {"KmsMasterKeyId": arn})
        (bucket,) = template.find_resources("AWS::S3::Bucket").values()
        encryption = bucket["Properties"]["BucketEncryption"]
        rule = encryption["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        assert rule == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}


class TestTheArtifactBucket:
    def test_outlives_the_stack_with_its_policy(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        """Without the policy, what is kept could be read without TLS."""
        stack = new_stack()
        ScheduledPipeline(
            stack, "Training", definition=PipelineDefinition.from_json(with_artifacts(small_definition))
        )
        template = Template.from_stack(stack)
        for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
            (found,) = template.find_resources(kind).values()
            assert (found["DeletionPolicy"], found["UpdateReplacePolicy"]) == ("Retain", "Retain")

    def test_is_made_where_the_definition_uses_one(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack, "Training", definition=PipelineDefinition.from_json(with_artifacts(small_definition))
        )
        template = Template.from_stack(stack)
        template.has_resource(
            "AWS::S3::Bucket",
            {
                "DeletionPolicy": "Retain",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "PublicAccessBlockConfiguration": Match.object_like({"BlockPublicPolicy": True}),
                    "BucketEncryption": Match.any_value(),
                },
            },
        )
        (bucket,) = template.find_resources("AWS::S3::Bucket")
        assert f"s3://<{bucket}>/out" in text_of(pipeline_body(template))

    def test_that_is_given_is_used_and_granted(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack,
            "Training",
            definition=PipelineDefinition.from_json(with_artifacts(small_definition)),
            artifact_bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "my-bucket"),
        )
        template = Template.from_stack(stack)
        assert "s3://my-bucket/out" in text_of(pipeline_body(template))
        granted = [
            s["Resource"]
            for s in policy_statements(template, "ExecutionPolicy")
            if "s3:PutObject" in s["Action"]
        ]
        assert granted == ["arn:aws:s3:::my-bucket/out/*"]
