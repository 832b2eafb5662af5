"""The types of steps that make a model or register one, and what a check reads of those registered."""

from __future__ import annotations

from collections.abc import Iterator

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, sagemaker, sagemaker_actions
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.created import Created
from scheduled_pipeline.definition.step_types.shape_notation import like
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

SERVING_LOGS = "/aws/sagemaker/Endpoints/*"
"""Whatever serves a model runs with the model's role: CreateModel API, in sagemaker-roles.html."""

MODEL = StepType(
    name="Model",
    arguments="ModelArguments",
    properties=("sagemaker:DescribeModelOutput",),
    shapes={"ModelArguments": like("sagemaker:CreateModelInput", filled_in=["ModelName"])},
    retried=True,
    permissions=Permissions(created=Created(noun="Model", kind="model")),
    log_groups=(SERVING_LOGS,),
)


def _registration(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what registering a model needs: in a group, or as a package without versions."""
    group = step.arguments.get("ModelPackageGroupName")
    verbs = ["CreateModelPackage", "DescribeModelPackage"]
    if group is None:
        verbs += ["AddTags"]
        package = resolver.literal(step.arguments.get("ModelPackageName")) or "*"
        resources = sagemaker("model-package", [package])
    else:
        verbs += ["CreateModelPackageGroup", "DescribeModelPackageGroup", "AddTags"]
        resources = _versions(resolver.literal(group))
    reason = "the step registers a version of a model, in a group that it makes if there is none"
    yield allow(sagemaker_actions(*verbs), resources, reason, step=step.name)


def baseline(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield the reading of the baseline of the last approved version.

    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
    """
    group = step.body.get("ModelPackageGroupName")
    if group is not None:
        actions = sagemaker_actions("ListModelPackages", "DescribeModelPackage", "DescribeModelPackageGroup")
        reason = "the check compares with the baseline of the last approved version"
        yield allow(actions, _versions(resolver.literal(group)), reason, step=step.name)


def _versions(group: str | None) -> tuple[str, ...]:
    """Return the ARNs of a group and the versions in it; None is a group that only a run knows."""
    name = group or "*"
    return (*sagemaker("model-package-group", [name]), *sagemaker("model-package", [f"{name}/*"]))


REGISTER_MODEL = StepType(
    name="RegisterModel",
    arguments="RegisterModelArguments",
    properties=("sagemaker:DescribeModelPackageOutput",),
    shapes={
        # ModelStep.arguments of the SDK: "not available in the workflow service and will cause rejection".
        "RegisterModelArguments": like("sagemaker:CreateModelPackageInput", without=["CertifyForMarketplace"])
    },
    retried=True,
    permissions=Permissions(needs=(_registration,)),
)
