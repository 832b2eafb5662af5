"""What SageMaker reads in a pipeline definition when an execution starts: its parameters and its steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local_aws.emulator.api import Json, invalid


def _is_number_of(convert: Callable[[str], object]) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        try:
            convert(value)
        except ValueError:
            return False
        return True

    return accepts


_ACCEPTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "String": lambda value: True,
    "Integer": _is_number_of(int),
    "Float": _is_number_of(float),
    "Boolean": lambda value: value.lower() in ("true", "false"),
}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A parsed pipeline definition (the Pipeline Definition JSON Schema, version 2020-12-01)."""

    parameters: tuple[Json, ...]
    steps: tuple[Json, ...]

    @classmethod
    def parse(cls, text: str) -> Definition:
        """Parse a definition as CreatePipeline does.

        Raises:
            ServiceError: the text is not a JSON object with a list of steps.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise invalid(f"Unable to parse pipeline definition. {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("Steps"), list):
            raise invalid("Unable to parse pipeline definition. Expecting an object with a list of Steps.")
        parameters = document.get("Parameters") or []
        for parameter in parameters:
            if parameter.get("Type") not in _ACCEPTS:
                raise invalid(f"Unable to parse pipeline definition. Unknown type of parameter {parameter}.")
        return cls(parameters=tuple(parameters), steps=tuple(document["Steps"]))

    def arguments(self, given: Iterable[Mapping[str, str]]) -> list[Json]:
        """The parameters an execution runs with: those given, checked, then the defaults of the others.

        Raises:
            ServiceError: a parameter is unknown, doubled, of the wrong type, empty, or has no value at all.
        """
        declared = {parameter["Name"]: parameter for parameter in self.parameters}
        values: dict[str, str] = {}
        for argument in given:
            name, value = argument["Name"], argument["Value"]
            if name not in declared:
                raise invalid(f"Unknown parameter '{name}'.")
            if name in values:
                raise invalid(f"Parameter '{name}' is given more than once.")
            _check_value(declared[name], value)
            values[name] = value
        for name, parameter in declared.items():
            if name not in values and parameter.get("DefaultValue") is None:
                raise invalid(f"Parameter '{name}' is undefined.")
        return [
            {"Name": name, "Value": values.get(name, _text(parameter.get("DefaultValue")))}
            for name, parameter in declared.items()
        ]


def _check_value(parameter: Json, value: str) -> None:
    name, kind, allowed = parameter["Name"], parameter["Type"], parameter.get("EnumValues")
    if not value:
        raise invalid(f"Parameter '{name}': [string \"\" is too short (length: 0, required minimum: 1)]")
    if not _ACCEPTS[kind](value):
        raise invalid(f"Unexpected type for parameter '{name}'. Expected {kind} but found '{value}'.")
    if allowed and value not in [_text(member) for member in allowed]:
        raise invalid(f"Value '{value}' of parameter '{name}' is not one of {allowed}.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
