"""What steps read from and write to S3, and the permissions for that.

Which members name places follows the request shapes of the SageMaker API. Which actions a place needs, and
that they are scoped to it, is in https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
("CreateTrainingJob API: Execution Role Permissions" and those beside it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, arn
from scheduled_pipeline.definition.permissions import function_uses
from scheduled_pipeline.definition.resolve import Place, Resolver, members
from scheduled_pipeline.definition.step_types.table import step_type

READ, WRITE, DELETE = "read", "write", "delete"

_READS = ("s3:GetObject",)
# A large file is sent in parts, and what is left of one that failed is removed.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
_WRITES = ("s3:PutObject", "s3:AbortMultipartUpload")

# Members whose URI is of one direction, whatever they stand in.
_ANYWHERE: Mapping[str, tuple[str, ...]] = {
    "ModelDataUrl": (READ,),
    "S3OutputPath": (WRITE,),
    "S3FailurePath": (WRITE,),
    "DestinationS3Uri": (WRITE,),
    # What Athena or Redshift answers is put there for the job to read.
    "OutputS3Uri": (READ, WRITE),
    "entryPoint": (READ,),
    "logUri": (WRITE,),
}
# The directions of `S3Uri`, by what it stands in.
_S3_URI: Mapping[str, tuple[str, ...]] = {
    "S3Output": (WRITE,),
    "CheckpointConfig": (READ, WRITE),
}
# One object, not all that begin so.
_OBJECTS = ("ModelDataUrl", "entryPoint")
_SUPPLIED = ("SuppliedBaselineStatistics", "SuppliedBaselineConstraints")


@dataclass(frozen=True)
class Use:
    """One place that a step reads, writes or deletes.

    Attributes:
        direction: ``read``, ``write`` or ``delete``.
        place: where, or None if only a run knows.
        chosen: whether who starts the pipeline, or an earlier step, may choose another place.
        exact: whether it is one object.
        reason: what for.
    """

    direction: str
    place: Place | None
    chosen: bool
    exact: bool
    reason: str


def uses(step: PlacedStep, resolver: Resolver) -> Iterator[Use]:
    """Yield what a step reads from and writes to S3."""
    for direction, value, exact, reason in (*_named(step), *_of_function(step, resolver)):
        place, chosen = resolver.place(value)
        yield Use(direction, place, chosen, exact and place is not None and place.complete, reason)
    if step_type(step.type).deletes:
        yield from _deletions(step, resolver)


def permissions(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what a step needs for the places it uses, as far as the definition tells them."""
    for use in uses(step, resolver):
        if use.place is not None:
            yield from _for(use, use.place, step.name)


def _named(step: PlacedStep) -> Iterator[tuple[str, Any, bool, str]]:
    """Yield direction, URI, whether it is one object, and the reason of each place that a step names."""
    for parents, name, value in _own_members(step):
        if name == "Std:JsonGet" and isinstance(value, Mapping) and "S3Uri" in value:
            yield READ, value["S3Uri"], True, "the pipeline service reads the file of a JsonGet"
        directions = _directions(parents, name, step)
        for direction in directions:
            what = "its input" if direction == READ else "its output"
            yield direction, value, name in _OBJECTS, f"the step {direction}s {what}"
    for name in _SUPPLIED:
        if step.body.get(name) is not None:
            yield READ, step.body[name], True, "the check compares with a baseline that was given"
    checks = step_type(step.type).checks
    if checks or step.body.get("PropertyFiles"):
        why = "the results of its check" if checks else "its property files"
        for uri in outputs(step):
            yield READ, uri, False, f"the pipeline service reads {why}"


def _of_function(step: PlacedStep, resolver: Resolver) -> Iterator[tuple[str, Any, bool, str]]:
    """Yield what the job of a ``@step`` function reads and writes; what its code does is not known."""
    for uri in function_uses.arguments(step, resolver):
        yield READ, uri, False, "the function is given the place"
    exceptions = function_uses.exceptions(step)
    if exceptions is not None:
        yield WRITE, exceptions, False, "the SDK writes an exception of the function there"


def _directions(parents: tuple[str, ...], name: str, step: PlacedStep) -> tuple[str, ...]:
    if "Std:JsonGet" in parents or not step_type(step.type).uses_places:
        return ()
    if name == "S3Uri":
        return _S3_URI.get(parents[-1] if parents else "", (READ,))
    return _ANYWHERE.get(name, ())


def _own_members(step: PlacedStep) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    for path, value in step.own_parts():
        name = path.removeprefix(f"{step.path}.").removeprefix("Arguments.")
        if path.startswith(f"{step.path}.Arguments."):
            yield (), name, value
            yield from members(value, (name,))


def outputs(step: PlacedStep) -> Iterator[Any]:
    """Yield the URIs that a step writes to, as its arguments have them."""
    yield from (uri for _, _, uri in written_members(step))


def written_members(step: PlacedStep) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield the names above it, the name, and the URI, of each argument that says where a step writes."""
    for parents, name, value in _own_members(step):
        if WRITE in _directions(parents, name, step):
            yield parents, name, value


def _deletions(step: PlacedStep, resolver: Resolver) -> Iterator[Use]:
    """Yield what a Cleanup step deletes: what it names, or all that another step has written."""
    resources = step.arguments.get("Resources")
    sources = resources.get("S3") if isinstance(resources, Mapping) else None
    for source in sources if isinstance(sources, list) else []:
        if not isinstance(source, Mapping):
            continue
        target = resolver.outline.by_name.get(str(source.get("StepName")))
        named = source.get("S3Uris")
        every = named if isinstance(named, list) else list(outputs(target)) if target else []
        for uri in every:
            place, chosen = resolver.place(uri)
            if place is not None and not isinstance(named, list):
                place = Place(place.bucket, _folder(place).removesuffix("*"), complete=False)
            yield Use(DELETE, place, chosen, False, "the step deletes what another has written")


def _for(use: Use, place: Place, step: str) -> Iterator[Permission]:
    bucket = arn("s3", place.bucket, region="", account="")
    keys = place.key if use.exact else _folder(place) if use.direction == WRITE else f"{place.key}*"
    objects = f"{bucket}/{keys}"
    actions = {READ: _READS, WRITE: _WRITES, DELETE: ("s3:DeleteObject",)}[use.direction]
    yield allow(actions, objects, use.reason, step=step)
    yield allow("s3:GetBucketLocation", bucket, "jobs look up the Region of a bucket", step=step)
    if use.direction != WRITE and not use.exact:
        listed = ("StringLike", "s3:prefix", (keys,))
        reason = "a prefix is listed to find what is in it"
        yield allow("s3:ListBucket", bucket, reason, step=step, conditions=[listed])


def _folder(place: Place) -> str:
    """Return the pattern of the keys that are written to a place: jobs put a slash behind what was given."""
    if not place.complete or not place.key:
        return f"{place.key}*"
    return f"{place.key.rstrip('/')}/*"
