"""From what the SDK wrote to a compiled pipeline, which is the same on every machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.document import read_json, strings
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.sandbox.uploads import RecordedObject, address_by_content

# Where the name of a folder goes on, it is another folder's. A dot goes on only if there is more behind it.
_END_OF_NAME = r"(?![\w@+~%-]|\.[\w-])"


@dataclass(frozen=True)
class Built:
    """What a build function made, as the SDK writes it.

    Attributes:
        definition: the definition as JSON.
        pipeline_name: the name of the SDK's object.
        values_read: the values that were asked for.
        uploads: what was uploaded.
    """

    definition: str
    pipeline_name: str
    values_read: frozenset[str]
    uploads: tuple[RecordedObject, ...]


def complete(built: Built, *, function: str, folders: Iterable[str]) -> CompiledPipeline:
    """Make a compiled pipeline, not validated yet, of what a build function made.

    Args:
        built: what it made.
        function: the build function, for errors.
        folders: those of this machine that a definition may not name.

    Raises:
        DefinitionError: it is not a pipeline definition, or is one for this machine alone.
    """
    source = f"the build function {function}"
    document, uploads = address_by_content(read_json(built.definition, source), built.uploads, source)
    compiled = CompiledPipeline.from_document(
        document,
        uploads=uploads,
        pipeline_name=built.pipeline_name,
        values_read=built.values_read,
        source=source,
    )
    _check_hermetic(compiled.document, source, folders)
    return compiled


def _check_hermetic(document: Mapping[str, Any], source: str, folders: Iterable[str]) -> None:
    """Refuse a definition that names a folder of this machine: no other machine has it."""
    for path, text in strings(document):
        for folder in folders:
            if _names(text, folder):
                raise DefinitionError(
                    f"{source} left a path of this machine in the definition, at {path}: {text!r:.200}"
                )


def _names(text: str, folder: str) -> bool:
    """Whether a text names a folder or what is below it; one right below the root may be a container's."""
    if len(Path(folder).parts) < 3:
        return False
    return folder in text and re.search(re.escape(folder) + _END_OF_NAME, text) is not None
