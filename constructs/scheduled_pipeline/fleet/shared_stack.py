"""What all pipelines of a fleet share, in a stack of its own."""

from __future__ import annotations

from aws_cdk import Environment, Stack, Token
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.fleet.alarms import FleetAlarms
from scheduled_pipeline.resources.artifact_bucket import artifact_bucket as make_artifact_bucket
from scheduled_pipeline.resources.dead_letter_queue import dead_letter_queue as make_dead_letter_queue


class SharedStack(Stack):
    """The bucket and the queue of a fleet.

    Its template is the same whatever pipelines there are: all that they may import is exported from
    the start.

    Attributes:
        artifact_bucket: where the pipelines read and write.
        dead_letter_queue: takes the starts that could not be delivered.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        env: Environment | None,
        artifact_bucket: s3.IBucket | None,
        dead_letter_queue: sqs.IQueue | None,
        encryption_key: kms.IKey | None,
        alarms: FleetAlarms,
    ) -> None:
        super().__init__(
            scope, construct_id, stack_name=stack_name, env=env, description="What the pipelines share"
        )
        self.artifact_bucket = artifact_bucket or make_artifact_bucket(self, "ArtifactBucket", encryption_key)
        self.dead_letter_queue = dead_letter_queue or make_dead_letter_queue(
            self, "DeadLetterQueue", encryption_key
        )
        if dead_letter_queue is None:
            alarms.watch_queue(self, stack_name, self.dead_letter_queue)
        for made, attribute in (
            (artifact_bucket is None, self.artifact_bucket.bucket_name),
            (artifact_bucket is None, self.artifact_bucket.bucket_arn),
            (dead_letter_queue is None, self.dead_letter_queue.queue_arn),
        ):
            if made and Token.is_unresolved(attribute):
                self.export_value(attribute)
