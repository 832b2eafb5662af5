"""What all pipelines of a stage share: the bucket with their data, and the topic for their alerts."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.stages import StageSettings


class ArtifactStack(Stack):
    """Holds data and models. Pipelines have stacks of their own, so deleting one deletes no data.

    Attributes:
        bucket: the artifact bucket.
        alerts: the topic that alerts go to; people subscribe to it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(
            scope, construct_id, env=settings.env, description="Data and models of the pipelines"
        )
        access_logs = self._bucket("AccessLogs", settings, logs=None)
        access_logs.add_lifecycle_rule(expiration=Duration.days(settings.data_retention_days))
        self.bucket = self._bucket("Artifacts", settings, logs=access_logs)
        # Without a key: the alerts hold names and states alone, and a deployer that may make a key may manage
        # every key of the account. AlertTopic has one.
        self.alerts = sns.Topic(self, "Alerts", enforce_ssl=True)
        CfnOutput(self, "AlertsTopicArn", value=self.alerts.topic_arn)

    def _bucket(self, construct_id: str, settings: StageSettings, *, logs: s3.IBucket | None) -> s3.Bucket:
        kept = s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(7),
            noncurrent_version_expiration=Duration.days(settings.data_retention_days),
        )
        return s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[kept],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=settings.removal_policy,
            server_access_logs_bucket=logs,
        )
