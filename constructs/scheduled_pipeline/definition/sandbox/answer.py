"""From what the SDK wrote to a compiled pipeline, in the child process, where botocore is loaded already."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.document import read_json, strings
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.packed import pack
from scheduled_pipeline.definition.sandbox.uploads import RecordedObject, address_by_content
from scheduled_pipeline.definition.validation.validate import validate


def complete(
    answer: dict[str, Any], *, function: str, staging: Path, folders: Iterable[str]
) -> dict[str, Any]:
    """Make the worker's answer one that holds a packed pipeline, or the reason why there is none.

    Args:
        answer: the worker's; returned as it is if it is an error.
        function: the build function, for errors.
        staging: where the files of uploads are.
        folders: those of this machine that a definition may not name.
    """
    if "error" in answer:
        return answer
    source = f"the build function {function}"
    try:
        compiled = _compiled(answer, source, staging)
        _check_hermetic(compiled.document, source, folders)
    except DefinitionError as error:
        return {"refusal": str(error)}
    findings = validate(compiled.document)
    return {"compiled": pack(dataclasses.replace(compiled, findings=findings))}


def _compiled(answer: Mapping[str, Any], source: str, staging: Path) -> CompiledPipeline:
    recorded = [RecordedObject(**entry, staged_path=staging / entry["sha256"]) for entry in answer["uploads"]]
    document, uploads = address_by_content(read_json(answer["definition"], source), recorded, source)
    return CompiledPipeline.from_document(
        document,
        uploads=uploads,
        pipeline_name=answer["pipeline_name"],
        values_read=frozenset(answer["values_read"]),
        source=source,
    )


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
    at = text.find(folder)
    return at >= 0 and text[at + len(folder) :][:1] in {"", "/", "\\", " ", '"', "'", ":"}
