"""Where the steps of a definition write in S3 when one trigger starts the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.definition.parsed import Outline, PlacedStep
from scheduled_pipeline.definition.permissions import function_uses
from scheduled_pipeline.definition.permissions.data import written_members
from scheduled_pipeline.definition.resolve import Place, Resolver

# What stands at the end of all keys that are written there.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html: the suffix .out, and
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html: GZIP by default.
_ENDINGS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("Transform", "TransformOutput", "S3OutputPath"): (".out",),
    ("Training", "OutputDataConfig", "S3OutputPath"): (".tar.gz",),
}


@dataclass(frozen=True, kw_only=True)
class WrittenPlace:
    """Keys of a bucket that a step writes.

    Attributes:
        step: its name.
        member: the argument that says so, such as ``ProcessingOutputConfig.Outputs.S3Output.S3Uri``.
        bucket: the name, with placeholders as the definition has them.
        prefix: what the keys begin with.
        endings: what each of them ends with one of; none where that is not known.
        always: whether the step writes there when it succeeds, and not only when it fails.
    """

    step: str
    member: str
    bucket: str
    prefix: str
    endings: tuple[str, ...] = ()
    always: bool = True


def written_places(
    document: Mapping[str, Any], *, given: Mapping[str, str | None], pipeline_name: str
) -> tuple[WrittenPlace, ...]:
    """Return where the steps write, as far as the definition and one start tell.

    Args:
        document: the definition.
        given: what the start gives for parameters, None for what only an event tells.
        pipeline_name: the physical name.
    """
    resolver = Resolver(Outline.of(document), pipeline_name, given)
    return tuple(found for step in resolver.outline.steps for found in _of_step(step, resolver))


def training_job_prefixes(document: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Return what the name of the job of each Training step begins with, None for the service's own names."""
    resolver = Resolver(Outline.of(document))
    steps = (step for step in resolver.outline.steps if step.type == "Training")
    return tuple(resolver.text(step.arguments.get("TrainingJobName")).text or None for step in steps)


def _of_step(step: PlacedStep, resolver: Resolver) -> Iterator[WrittenPlace]:
    for parents, name, uri in written_members(step):
        place, _ = resolver.place(uri)
        if place is not None:
            yield WrittenPlace(
                step=step.name,
                member=".".join((*parents, name)),
                bucket=place.bucket,
                prefix=_beginning(place),
                endings=_endings(step, (*parents, name)),
            )
    place, _ = resolver.place(function_uses.exceptions(step))
    if place is not None:
        yield WrittenPlace(
            step=step.name,
            member="its exceptions",
            bucket=place.bucket,
            prefix=place.key.partition("*")[0],
            always=False,
        )


def _beginning(place: Place) -> str:
    """What keys begin with: jobs put a slash behind the place that they are given."""
    return f"{place.key.rstrip('/')}/" if place.complete and place.key.strip("/") else place.key


def _endings(step: PlacedStep, path: tuple[str, ...]) -> tuple[str, ...]:
    config = step.arguments.get("OutputDataConfig")
    uncompressed = isinstance(config, Mapping) and config.get("CompressionType", "GZIP") != "GZIP"
    # The code of a function puts its results there itself, as they are.
    is_function = function_uses.exceptions(step) is not None
    return () if uncompressed or is_function else _ENDINGS.get((step.type, *path), ())
