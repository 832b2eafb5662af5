"""``Pipeline``: an L2 for ``AWS::SageMaker::Pipeline``, which aws-cdk-lib has as an interface only."""

from __future__ import annotations

import re
from collections.abc import Mapping

import jsii
from aws_cdk import Resource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.interfaces.aws_sagemaker import PipelineReference
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.resources.assets.pipeline_definition import (
    ALONE,
    METADATA,
    DefinitionLimits,
    place_definition,
)
from scheduled_pipeline.resources.jsii_cache import attribute_of, is_token, path_of, place_of, settle
from scheduled_pipeline.trigger.start_target import START_ACTION

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
_MAX_DESCRIPTION = 3072


@jsii.implements(sagemaker.IPipeline)
class Pipeline(Resource):
    """A SageMaker pipeline.

    Implements ``aws_sagemaker.IPipeline``, so it can be the target of the CDK's own schedules
    and rules. Follows the AWS::SageMaker::Pipeline resource and the CreatePipeline API.

    Args:
        scope: where it belongs.
        construct_id: its id there.
        pipeline_name: physical name, 1 to 256 letters, digits and inner hyphens.
        definition_body: the definition as JSON text, which may contain placeholders.
        bindings: what stands in the place of each placeholder, usually a token.
        role: the execution role, assumed by sagemaker.amazonaws.com.
        description: at most 3,072 characters. Default: none.
        max_parallel_steps: how many steps may run at once, 1 or more. Default: the service's, 50.
        definition_limits: how large a definition may be in the template. Default: for a stack of its own.

    Attributes:
        declared_name: the physical name as text, not as a reference.
        definition: the definition, and where it is.
        role: the execution role.
        cfn_pipeline: the resource.

    Raises:
        ValueError: a name, description or number that SageMaker does not accept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline_name: str,
        definition_body: str,
        role: iam.IRole,
        bindings: Mapping[str, str] | None = None,
        description: str | None = None,
        max_parallel_steps: int | None = None,
        definition_limits: DefinitionLimits = ALONE,
    ) -> None:
        super().__init__(scope, construct_id, physical_name=pipeline_name)
        settle(self, scope, construct_id)
        check_pipeline_name(pipeline_name, path_of(self))
        _check_description(description, path_of(self))
        _check_parallelism(max_parallel_steps, path_of(self))
        self.role = role
        self.definition = place_definition(
            self, placeholders.substitute(definition_body, bindings or {}), definition_limits
        )
        resource = sagemaker.CfnPipeline(
            self,
            "Resource",
            pipeline_name=pipeline_name,
            pipeline_definition=self.definition.properties,
            pipeline_description=description,
            role_arn=attribute_of(role, "role_arn"),
            parallelism_configuration=_parallelism(max_parallel_steps),
        )
        if self.definition.metadata is not None:
            resource.add_metadata(METADATA, self.definition.metadata)
        self.cfn_pipeline = resource
        self.declared_name = pipeline_name
        # Not a reference: SageMaker writes the name in lower case, which a template cannot. Whatever needs
        # the pipeline to be there depends on it by name.
        self._pipeline_arn = self._format_arn(pipeline_name.lower())

    @property
    @jsii.member(jsii_name="pipelineName")
    def pipeline_name(self) -> str:
        """The physical name."""
        return str(self._get_resource_name_attribute(self.cfn_pipeline.ref))

    @property
    @jsii.member(jsii_name="pipelineArn")
    def pipeline_arn(self) -> str:
        """The ARN, with the name in lower case as SageMaker writes it."""
        return self._pipeline_arn

    @property
    @jsii.member(jsii_name="pipelineRef")
    def pipeline_ref(self) -> PipelineReference:
        """The reference that generated targets and grants use."""
        return PipelineReference(pipeline_name=self.pipeline_name)

    @property
    def start_arns(self) -> list[str]:
        """Both spellings of the ARN: as SageMaker writes it, and as the name was declared.

        A caller may give either, and IAM compares letter by letter.
        """
        return list(dict.fromkeys([self._pipeline_arn, self._format_arn(self.declared_name)]))

    @jsii.member(jsii_name="grantStartPipelineExecution")
    def grant_start_pipeline_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start this pipeline, under both spellings of its ARN."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=[START_ACTION], resource_arns=self.start_arns
        )

    def _format_arn(self, name: str) -> str:
        return place_of(self).arn("sagemaker", f"pipeline/{name}")


def check_pipeline_name(name: str, path: str) -> None:
    """Refuse a name that CreatePipeline refuses, and one that is not known at synth.

    Raises:
        ValueError: it does not match the pattern, or is a token.
    """
    if is_token(name):
        raise ValueError(
            f"{path}: pipeline_name must be known at synth, because the definition is made with it"
        )
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{path}: pipeline_name must be 1 to 256 letters, digits and inner hyphens, got {name!r}"
        )


def _check_description(description: str | None, path: str) -> None:
    if description is not None and not is_token(description) and len(description) > _MAX_DESCRIPTION:
        raise ValueError(
            f"{path}: description must be at most {_MAX_DESCRIPTION} characters, got {len(description)}"
        )


def _check_parallelism(max_parallel_steps: int | None, path: str) -> None:
    if max_parallel_steps is not None and (isinstance(max_parallel_steps, bool) or max_parallel_steps < 1):
        raise ValueError(f"{path}: max_parallel_steps must be 1 or more, got {max_parallel_steps!r}")


def _parallelism(max_parallel_steps: int | None) -> dict[str, int] | None:
    return None if max_parallel_steps is None else {"MaxParallelExecutionSteps": max_parallel_steps}
