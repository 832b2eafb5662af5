"""Where the steps of a definition write to, and the property files that are among it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.findings import Report, known
from scheduled_pipeline.definition.parsed import Outline, PlacedStep, objects
from scheduled_pipeline.definition.validation.properties import declared_names

# The members of the APIs' requests that name a place to write to.
_WRITTEN = {"S3OutputPath", "S3Output.S3Uri", "CheckpointConfig.S3Uri"}


def check_outputs(outline: Outline, report: Report) -> None:
    """Report outputs that go where the uploads are, and property files that are in no output.

    In the asset bucket a step may read its files only.
    """
    for step in outline.steps:
        _check_property_files(step, report)
        for path, value in step.own_parts():
            for place, content in _outputs(value, path):
                if placeholders.ASSET_BUCKET in json.dumps(content):
                    message = (
                        "the output goes into a folder of uploaded files, which is in the asset bucket, "
                        f"where a step cannot write: {content!r:.120}"
                    )
                    report.add("writes-to-assets", place, message, step=step.name)


def _check_property_files(step: PlacedStep, report: Report) -> None:
    """Refuse what the service cannot find, as the SDK does when it is the SDK's own object."""
    for index, file in objects(step.body.get("PropertyFiles")):
        name = file.get("OutputName")
        names = declared_names(step, ["ProcessingOutputConfig", "Outputs"])
        if isinstance(name, str) and names is not None and name not in names:
            path = f"{step.path}.PropertyFiles[{index}].OutputName"
            report.add(
                "unknown-output", path, f"there is no output {name!r}; {known(name, names)}", step=step.name
            )


def _outputs(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, content in value.items():
            place = f"{path}.{name}"
            parts = place.rsplit(".", 2)
            if name in _WRITTEN or ".".join(parts[-2:]) in _WRITTEN:
                yield place, content
            else:
                yield from _outputs(content, place)
    elif isinstance(value, list):
        for index, content in enumerate(value):
            yield from _outputs(content, f"{path}[{index}]")
