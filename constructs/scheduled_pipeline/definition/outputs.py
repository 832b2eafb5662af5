"""Where the steps of a definition write to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.findings import Report
from scheduled_pipeline.definition.outline import Outline

# The members of the APIs' requests that name a place to write to.
_WRITTEN = {"S3OutputPath", "S3Output.S3Uri", "CheckpointConfig.S3Uri"}


def check_outputs(outline: Outline, report: Report) -> None:
    """Report outputs that go where the uploads are: in the asset bucket a step may read its files only.

    The SDK gives a function with ``@step`` one folder for its code and its results, so that it is found here.
    """
    for step in outline.steps:
        for path, value in step.own_parts():
            for place, content in _outputs(value, path):
                if placeholders.ASSET_BUCKET in json.dumps(content):
                    message = (
                        "the output goes into a folder of uploaded files, which is in the asset bucket, "
                        f"where a step cannot write: {content!r:.120}"
                    )
                    report.add("writes-to-assets", place, message, step=step.name)


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
