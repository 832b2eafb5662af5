"""The types of steps that record what was made, and remove what is not needed any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, sagemaker, sagemaker_actions
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.shape_notation import enum, list_of, structure
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType


def _records(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what is needed to record actions, artifacts and contexts, and what joins them."""
    every: list[str] = []
    for noun in ("Action", "Artifact", "Context"):
        entries = step.arguments.get(f"{noun}s")
        entries = [one for one in entries if isinstance(one, Mapping)] if isinstance(entries, list) else []
        # The service names an artifact by a hash.
        names = ["*"] if noun == "Artifact" else [_entity(one, noun, resolver) for one in entries]
        resources = sagemaker(noun.lower(), names)
        if entries:
            actions = sagemaker_actions(*(f"{verb}{noun}" for verb in ("Create", "Describe")), "AddTags")
            yield allow(actions, resources, "the step records lineage", step=step.name)
            every += resources
    if step.arguments.get("Associations") and every:
        actions = sagemaker_actions("AddAssociation")
        yield allow(actions, every, "the step joins what it records", step=step.name)


def _entity(entry: Mapping[str, Any], noun: str, resolver: Resolver) -> str:
    resolved = resolver.text(entry.get(f"{noun}Name"))
    return resolved.text if resolved.complete else f"{resolved.text}*"


LINEAGE = StepType(
    name="Lineage",
    arguments="LineageArguments",
    properties=("LineageProperties",),
    shapes={
        "LineageArguments": structure(
            {
                "Actions": "LineageActions",
                "Artifacts": "LineageArtifacts",
                "Contexts": "LineageContexts",
                "Associations": "LineageAssociations",
            }
        ),
        "LineageActions": list_of("sagemaker:CreateActionRequest"),
        "LineageArtifacts": list_of("sagemaker:CreateArtifactRequest"),
        "LineageContexts": list_of("sagemaker:CreateContextRequest"),
        "LineageAssociations": list_of("LineageAssociation"),
        "LineageAssociation": structure(
            {
                "Source": "LineageEntity",
                "Destination": "LineageEntity",
                "AssociationType": "sagemaker:AssociationEdgeType",
            },
            ["Source", "Destination"],
        ),
        "LineageEntity": structure(
            {"Arn": "String", "Name": "String", "Type": "LineageType"}, one_of=[["Arn", "Name"]]
        ),
        "LineageType": enum("Action", "Artifact", "Context"),
        "LineageProperties": structure(
            {"ActionArns": "Arns", "ArtifactArns": "Arns", "ContextArns": "Arns", "Associations": "Anything"}
        ),
        "Arns": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
    },
    permissions=Permissions(needs=(_records,)),
    uses_places=False,
)

CLEANUP = StepType(
    name="Cleanup",
    arguments="CleanupArguments",
    properties=(),
    shapes={
        "CleanupArguments": structure({"Resources": "CleanupResources"}, ["Resources"]),
        "CleanupResources": structure({"S3": "CleanupSources"}, ["S3"]),
        "CleanupSources": list_of("CleanupSource", min=1),
        "CleanupSource": structure({"StepName": "StepName", "S3Uris": "CleanupUris"}, ["StepName"]),
        "CleanupUris": list_of("String", min=1),
    },
    permissions=Permissions(nothing="it deletes places in S3, all of which its arguments name"),
    uses_places=False,
    uses_resources=False,
    deletes=True,
)
