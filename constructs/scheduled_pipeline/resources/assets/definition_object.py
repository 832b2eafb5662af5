"""A definition that is too large for a template, as an object in S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from scheduled_pipeline.resources.assets.code_assets import TextAsset
from scheduled_pipeline.resources.express_mode import tell_of_express_mode
from scheduled_pipeline.resources.jsii_cache import place_of

_CODE = Path(__file__).with_name("definition_writer_function.py")
_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
_STORE = "ScheduledPipelineDefinitions"
PREFIX = "definitions/"
"""What the keys of definitions that are written at deployment begin with."""


@dataclass(frozen=True)
class DefinitionObject:
    """Where a definition is after deployment.

    Attributes:
        location: the value of ``PipelineDefinitionS3Location``.
        path: where its text is in the cloud assembly, seen from the template.
        substitutions: what stands in the place of each marker in that text.
    """

    location: Mapping[str, str]
    path: str
    substitutions: Mapping[str, str]


def definition_object(scope: Construct, text: str) -> DefinitionObject:
    """Put ``text`` into S3.

    Without tokens it is a file asset like any other. With tokens, which only CloudFormation can resolve, a
    function of the stack writes it from the asset when the stack is deployed. Either way the key is made
    from the content.
    """
    tokens = list(dict.fromkeys(_TOKEN.findall(text)))
    substitutions = {f"<<scheduled-pipeline-{number}>>": token for number, token in enumerate(tokens)}
    for marker, token in substitutions.items():
        text = text.replace(token, marker)
    asset = TextAsset.add(scope, text, suffix=".json")
    location = {"Bucket": asset.bucket_name, "Key": asset.key}
    if substitutions:
        location = _DefinitionStore.of(scope).write(scope, asset, substitutions)
    return DefinitionObject(location, asset.path, substitutions)


_stores: WeakKeyDictionary[Stack, _DefinitionStore] = WeakKeyDictionary()


class _DefinitionStore(Construct):
    """The bucket of the definitions of one stack, and the function that writes them; both go with it."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,  # each custom resource deletes what it wrote
        )
        self._logs = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
        )
        self._role = self._make_role()
        self._function = lambda_.Function(
            self,
            "Writer",
            code=lambda_.Code.from_inline(_CODE.read_text(encoding="utf-8")),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            role=self._role,
            timeout=Duration.minutes(1),
            memory_size=256,
            log_group=self._logs,
            description="Writes definitions of SageMaker pipelines to S3",
        )

    @classmethod
    def of(cls, scope: Construct) -> _DefinitionStore:
        """Return the one of the stack of ``scope``."""
        stack = place_of(scope).stack
        if stack not in _stores:
            _stores[stack] = cls(stack, _STORE)
        return _stores[stack]

    def write(self, scope: Construct, asset: TextAsset, substitutions: Mapping[str, str]) -> dict[str, str]:
        """Have a definition written when the stack is deployed; returns where it is then."""
        source = f"arn:{place_of(scope).partition}:s3:::{asset.bucket_name}/{asset.key}"
        read = iam.Policy(
            scope,
            "DefinitionPolicy",
            statements=[iam.PolicyStatement(actions=["s3:GetObject"], resources=[source])],
        )
        self._role.attach_inline_policy(read)
        tell_of_express_mode(
            scope, "the definition, which is too large for the template, would not be written"
        )
        resource = CustomResource(
            scope,
            "Definition",
            resource_type="Custom::SageMakerPipelineDefinition",
            service_token=self._function.function_arn,
            service_timeout=Duration.minutes(2),
            properties=self._properties(scope, asset, substitutions),
        )
        resource.node.add_dependency(read, self)
        return {"Bucket": self._bucket.bucket_name, "Key": resource.get_att_string("Key")}

    def _properties(
        self, scope: Construct, asset: TextAsset, substitutions: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "Bucket": self._bucket.bucket_name,
            "Prefix": f"{PREFIX}{scope.node.addr}/",
            "SourceBucket": asset.bucket_name,
            "SourceKey": asset.key,
            "Substitutions": dict(substitutions),
        }

    def _make_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Writes definitions of SageMaker pipelines to S3",
        )
        objects = self._bucket.arn_for_objects(f"{PREFIX}*")
        for actions, resource in (
            (["s3:PutObject", "s3:DeleteObject"], objects),
            (["logs:CreateLogStream", "logs:PutLogEvents"], self._logs.log_group_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        return role
