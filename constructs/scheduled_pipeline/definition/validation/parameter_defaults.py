"""The parameters of a definition: unique names, and defaults and enums of the declared type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scheduled_pipeline.definition.findings import Report
from scheduled_pipeline.definition.parsed import Outline, objects
from scheduled_pipeline.definition.validation.definition_format import MAX_DEFAULT

# ParameterTypeEnum of the SDK. JSON writes a whole float as an integer or not, as it pleases.
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


def check_declared_parameters(outline: Outline, document: Mapping[str, Any], report: Report) -> None:
    """Report parameters that are declared twice, and defaults that do not fit type or enum."""
    for index, entry in objects(document.get("Parameters")):
        if not isinstance(entry.get("Name"), str):
            continue
        path = f"Parameters[{index}]"
        first, _ = outline.parameters[entry["Name"]]
        if first != path:
            message = f"the name {entry['Name']!r} is taken by {first}"
            report.add("duplicate-parameter", f"{path}.Name", message)
        _check_default(entry, path, report)


def _check_default(entry: Mapping[str, Any], path: str, report: Report) -> None:
    name, kind, default = entry["Name"], entry.get("Type"), entry.get("DefaultValue")
    allowed = entry.get("EnumValues")
    allowed = allowed if isinstance(allowed, list) else []
    values = [("DefaultValue", default)] if default is not None else []
    values += [(f"EnumValues[{index}]", value) for index, value in enumerate(allowed)]
    for where, value in values:
        if not _fits(value, kind):
            message = f"parameter {name!r} is of type {kind}, got {value!r:.80}"
            report.add("bad-default", f"{path}.{where}", message)
    if isinstance(default, str) and len(default) > MAX_DEFAULT:
        message = f"must have at most {MAX_DEFAULT:,} characters, has {len(default):,}"
        report.add("bad-length", f"{path}.DefaultValue", message)
    if default is not None and allowed and default not in allowed:
        message = f"parameter {name!r} must be one of {', '.join(map(repr, allowed))}, got {default!r}"
        report.add("bad-default", f"{path}.DefaultValue", message)


def _fits(value: object, kind: object) -> bool:
    types = _PYTHON_TYPES.get(str(kind))
    return types is None or (isinstance(value, types) and isinstance(value, bool) == (kind == "Boolean"))
