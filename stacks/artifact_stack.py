"""What all pipelines of a stage share: the bucket with their data, and the topic for their alerts."""

from __future__ import annotations

from aws_cdk import CfnOutput, CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
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
        access_logs = self._bucket("AccessLogs", settings, logged_to=None)
        access_logs.add_lifecycle_rule(expiration=Duration.days(settings.data_retention_days))
        self.bucket = self._bucket("Artifacts", settings, logged_to=access_logs)
        if settings.removal_policy == RemovalPolicy.DESTROY:
            self._keep_the_log_in_the_stack()
        # Without a key: the alerts hold names and states alone, and a deployer that may make a key may manage
        # every key of the account. AlertTopic has one.
        self.alerts = sns.Topic(self, "Alerts", enforce_ssl=True)
        CfnOutput(self, "AlertsTopicArn", value=self.alerts.topic_arn)

    def _bucket(
        self, construct_id: str, settings: StageSettings, *, logged_to: s3.IBucket | None
    ) -> s3.Bucket:
        """Make a bucket that goes with the stage as a whole, or stays as a whole."""
        kept = s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(7),
            noncurrent_version_expiration=Duration.days(settings.data_retention_days),
        )
        bucket = s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[kept],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=settings.removal_policy,
            # S3 deletes no bucket that holds an object or a version.
            auto_delete_objects=settings.removal_policy == RemovalPolicy.DESTROY,
            server_access_logs_bucket=logged_to,
        )
        if bucket.policy is not None:
            bucket.policy.apply_removal_policy(settings.removal_policy)
        return bucket

    def _keep_the_log_in_the_stack(self) -> None:
        """Let the log of the function that empties the buckets go with the stack.

        Left to itself, the function makes a log group when it runs, as the stack is deleted.
        """
        provider = self.node.find_child("Custom::S3AutoDeleteObjectsCustomResourceProvider")
        role, function = (provider.node.find_child(name) for name in ("Role", "Handler"))
        assert isinstance(role, CfnResource)
        assert isinstance(function, CfnResource)
        group = logs.LogGroup(
            self, "EmptyingLogs", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
        )
        writing = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
        )
        document = iam.PolicyDocument(statements=[writing])
        function.add_deletion_override("DependsOn")  # it refers to the role already, which cfn-lint tells
        function.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})
        role.add_property_deletion_override("ManagedPolicyArns")
        role.add_property_override("Policies", [{"PolicyName": "Log", "PolicyDocument": document}])
