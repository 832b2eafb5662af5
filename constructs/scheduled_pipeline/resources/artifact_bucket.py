"""The bucket that a pipeline reads from and writes to."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


def artifact_bucket(scope: Construct, construct_id: str, encryption_key: kms.IKey | None) -> s3.Bucket:
    """Make an encrypted, versioned, private bucket that outlives the stack, and its policy with it."""
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED if encryption_key is None else s3.BucketEncryption.KMS,
        encryption_key=encryption_key,
        bucket_key_enabled=None if encryption_key is None else True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=Duration.days(7),
                noncurrent_version_expiration=Duration.days(30),
            )
        ],
    )
    assert bucket.policy is not None  # enforce_ssl has made it
    bucket.policy.apply_removal_policy(RemovalPolicy.RETAIN)
    return bucket
