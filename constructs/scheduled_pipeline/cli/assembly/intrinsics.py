"""The values of a template as text, with ``<...>`` for what only the deployment knows.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
# What a `Ref` of these returns is a property, when the template names them itself.
_NAMED_BY = {
    "AWS::Events::Rule": "Name",
    "AWS::SageMaker::Pipeline": "PipelineName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Scheduler::ScheduleGroup": "Name",
}
_NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True, kw_only=True)
class Text:
    """A value as text. ``str()`` is the text.

    Attributes:
        text: with ``<...>`` for what is not known.
        known: whether all of it is known.
        assumed: the template's parameters that were taken at their defaults.
    """

    text: str
    known: bool = True
    assumed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def unknown(what: object) -> Text:
    """What only the deployment knows."""
    return Text(text=f"<{what}>", known=False)


def _joined(separator: str, parts: Iterable[Text]) -> Text:
    listed = list(parts)
    return Text(
        text=separator.join(part.text for part in listed),
        known=all(part.known for part in listed),
        assumed=tuple(dict.fromkeys(name for part in listed for name in part.assumed)),
    )


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the functions of one template can refer to.

    Attributes:
        given: what is known from outside by name: pseudo parameters, the parameters of a nested stack.
        parameters: the template's own ``Parameters``.
        resources: the template's own ``Resources``.
        attributes: what a deployment knows of them, by logical id, a dot and the attribute.
        exports: what a deployment knows of other stacks, by the name of the export.
    """

    given: Mapping[str, Text] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Text] = field(default_factory=dict)
    exports: Mapping[str, Text] = field(default_factory=dict)

    def text(self, value: object) -> Text:
        """A value as text, whatever it is."""
        if isinstance(value, str):
            return Text(text=value)
        if isinstance(value, list):
            return _joined(",", (self.text(part) for part in value))
        if isinstance(value, dict) and len(value) == 1:
            ((function, argument),) = value.items()
            if function in _FUNCTIONS:
                return _FUNCTIONS[function](self, argument)
            if function.startswith("Fn::"):
                return unknown(f"{function.removeprefix('Fn::')} {self.text(argument)}")
        return Text(text=json.dumps(value))

    def property(self, properties: Mapping[str, Any], name: str) -> Text | None:
        """A property as text, or nothing when it is left out."""
        value = properties.get(name)
        return None if value is None or value == _NO_VALUE else self.text(value)

    def _ref(self, name: object) -> Text:
        if not isinstance(name, str):
            return unknown(name)
        if name in self.given:
            return self.given[name]
        parameter = mapping(self.parameters.get(name))
        # The default of a parameter in the Parameter Store is a key, not the value.
        if "Default" in parameter and not str(parameter.get("Type")).startswith("AWS::SSM::"):
            return Text(text=str(parameter["Default"]), assumed=(name,))
        resource = mapping(self.resources.get(name))
        own_name = mapping(resource.get("Properties")).get(_NAMED_BY.get(str(resource.get("Type")), ""))
        return Text(text=own_name) if isinstance(own_name, str) else unknown(name)

    def _join(self, argument: object) -> Text:
        match argument:
            case [str(separator), [*parts]]:
                return _joined(separator, (self.text(part) for part in parts))
        return unknown(f"Join {self.text(argument)}")

    def _sub(self, argument: object) -> Text:
        match argument:
            case str(pattern):
                values: Mapping[str, Any] = {}
            case [str(pattern), dict(values)]:
                pass
            case _:
                return unknown(f"Sub {self.text(argument)}")
        parts: list[Text] = []
        end = 0
        for variable in _VARIABLE.finditer(pattern):
            parts += [Text(text=pattern[end : variable.start()]), self._variable(variable, values)]
            end = variable.end()
        return _joined("", [*parts, Text(text=pattern[end:])])

    def _variable(self, variable: re.Match[str], values: Mapping[str, Any]) -> Text:
        literal, name = variable.groups()
        if literal:
            return Text(text=f"${{{name}}}")
        if name in values:
            return self.text(values[name])
        return self._attribute(name) if "." in name else self._ref(name)

    def _attribute(self, argument: object) -> Text:
        name = ".".join(map(str, argument)) if isinstance(argument, list) else str(argument)
        return self.attributes.get(name) or unknown(name)

    def _select(self, argument: object) -> Text:
        match argument:
            case [int() | str() as index, {"Fn::Split": [str(separator), value]}] if str(index).isdecimal():
                whole = self.text(value)
                parts = whole.text.split(separator)
                if whole.known and int(index) < len(parts):
                    return Text(text=parts[int(index)], assumed=whole.assumed)
        return unknown(f"Select {self.text(argument)}")

    def _import(self, argument: object) -> Text:
        name = self.text(argument)
        return self.exports.get(name.text) or unknown(f"ImportValue {name}")

    def _if(self, argument: object) -> Text:
        match argument:
            case [_, yes, no]:
                return unknown(f"{self.text(yes)} or {self.text(no)}")
        return unknown(f"If {self.text(argument)}")


_FUNCTIONS: Mapping[str, Callable[[Scope, object], Text]] = {
    "Ref": Scope._ref,
    "Fn::Join": Scope._join,
    "Fn::Sub": Scope._sub,
    "Fn::GetAtt": Scope._attribute,
    "Fn::If": Scope._if,
    "Fn::ImportValue": Scope._import,
    "Fn::Select": Scope._select,
}


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object as it is, and nothing for what is none."""
    return value if isinstance(value, dict) else {}
