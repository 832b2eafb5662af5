"""The types of steps that serve a model."""

from __future__ import annotations

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import sagemaker
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.created import Created
from scheduled_pipeline.definition.step_types.models import SERVING_LOGS
from scheduled_pipeline.definition.step_types.shape_notation import like
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

_CONFIG = Created(noun="EndpointConfig", kind="endpoint-config")

ENDPOINT_CONFIG = StepType(
    name="EndpointConfig",
    arguments="EndpointConfigArguments",
    properties=("sagemaker:DescribeEndpointConfigOutput",),
    shapes={
        "EndpointConfigArguments": like(
            "sagemaker:CreateEndpointConfigInput", filled_in=["EndpointConfigName"]
        )
    },
    cached=True,
    retried=True,
    permissions=Permissions(created=_CONFIG),
    log_groups=(SERVING_LOGS,),
)


def _configurations(step: PlacedStep, resolver: Resolver) -> tuple[str, ...]:
    """Return the configurations that a step may take: the one it names, or those that the pipeline makes."""
    return _named_or_made(step, resolver, _CONFIG, ENDPOINT_CONFIG.name)


_ENDPOINT = Created(noun="Endpoint", kind="endpoint", updated=True, beside=_configurations)

ENDPOINT = StepType(
    name="Endpoint",
    arguments="EndpointArguments",
    properties=("sagemaker:DescribeEndpointOutput",),
    shapes={"EndpointArguments": like("sagemaker:CreateEndpointInput", filled_in=["EndpointName"])},
    cached=True,
    permissions=Permissions(created=_ENDPOINT),
)


def _endpoints(step: PlacedStep, resolver: Resolver) -> tuple[str, ...]:
    """Return the endpoints that a step may use: the one it names, or those that the pipeline makes."""
    return _named_or_made(step, resolver, _ENDPOINT, ENDPOINT.name)


INFERENCE_COMPONENT = StepType(
    name="InferenceComponent",
    arguments="InferenceComponentArguments",
    properties=("sagemaker:DescribeInferenceComponentOutput",),
    shapes={
        "InferenceComponentArguments": like(
            "sagemaker:CreateInferenceComponentInput", filled_in=["InferenceComponentName"]
        )
    },
    permissions=Permissions(
        created=Created(
            noun="InferenceComponent", kind="inference-component", updated=True, beside=_endpoints
        )
    ),
    log_groups=("/aws/sagemaker/InferenceComponents/*",),
)


def _named_or_made(step: PlacedStep, resolver: Resolver, made: Created, kind: str) -> tuple[str, ...]:
    named = resolver.literal(step.arguments.get(f"{made.noun}Name"))
    steps = [one for one in resolver.outline.steps if one.type == kind]
    own = [name for one in steps for name in made.names(one, resolver)]
    return sagemaker(made.kind, [named] if named is not None else own or ["pipelines-*"])
