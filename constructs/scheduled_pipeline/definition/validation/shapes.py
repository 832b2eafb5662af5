"""``ShapeChecker``: a definition against the shapes of its format and of AWS's APIs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.findings import Finding, Report, known
from scheduled_pipeline.definition.parsed import Outline, is_expression
from scheduled_pipeline.definition.step_types.table import step_type
from scheduled_pipeline.definition.validation import service_models
from scheduled_pipeline.definition.validation.references import References, Target
from scheduled_pipeline.definition.validation.service_models import Located, Shape
from scheduled_pipeline.tokens import TOKEN

# What an expression may refer to, by the type that is asked for. The service says "Cannot assign property
# reference [...] to argument of type [String]" to a number in the place of a text, and takes no expression
# for a list ("Expecting start of Json Array", https://github.com/aws/sagemaker-python-sdk/issues/2345).
_FITTING = {
    "string": {"string", "timestamp"},
    "integer": {"integer", "long"},
    "long": {"integer", "long"},
    "float": {"integer", "long", "float", "double"},
    "double": {"integer", "long", "float", "double"},
    "boolean": {"boolean"},
}
_NOUNS = {
    "structure": "an object",
    "list": "a list",
    "map": "an object",
    "string": "a string",
    "integer": "an integer",
    "long": "an integer",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
}
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}

# The texts that stand for what only the deployment knows; the value of a string with one in it is unknown.
_UNKNOWN_TEXT = re.compile(
    "|".join(
        re.escape(text)
        for text in (
            placeholders.ACCOUNT,
            placeholders.ARTIFACT_BUCKET,
            placeholders.ASSET_BUCKET,
            placeholders.value("").rsplit("-", 2)[0],
            TOKEN,
        )
    )
)


class ShapeChecker:
    """Checks one definition and reports what does not fit."""

    def __init__(self, outline: Outline, references: References, report: Report) -> None:
        self._outline = outline
        self._references = references
        self._report = report
        self._steps = {step.path: step for step in outline.steps}
        self._step: str | None = None
        self._checks: Mapping[str, Callable[[Any, Located, str], None]] = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
            "string": self._string,
            "integer": self._number,
            "long": self._number,
            "float": self._number,
            "double": self._number,
            "tagged": self._tagged,
            "either": self._either,
            "scalar": self._scalar,
        }

    def check(self, value: object, located: Located, path: str) -> None:
        """Check a value; one that is null counts as absent, and so is not looked at."""
        kind = located.shape["type"]
        if value is None or kind in {"any", "timestamp"}:
            return
        if is_expression(value) and kind not in {"either", "scalar", "tagged"}:
            self._expression(value, located, path)
        elif kind in _PYTHON_TYPES and not _is_a(value, kind):
            self._add("wrong-type", path, f"must be {_NOUNS[kind]}, got {value!r:.80}")
        elif kind in self._checks:
            self._checks[kind](value, located, path)

    def _add(self, kind: str, path: str, message: str) -> None:
        self._report.add(kind, path, message, step=self._step)

    def _structure(self, value: Mapping[str, Any], located: Located, path: str) -> None:
        shape = located.shape
        members = shape["members"]
        for name, content in value.items():
            where = f"{path}.{name}" if path else name
            if name not in members:
                what = f"{located.name} has no member {name!r}; {known(name, members)}"
                self._add("unknown-member", where, what)
            elif content is not None:
                self.check(content, service_models.find(members[name]["shape"], located.service), where)
        for name in shape.get("required", ()):
            if value.get(name) is None:
                where = f"{path}.{name}" if path else name
                self._add("missing-member", where, f"{located.name} needs {name}")
        groups = [*shape.get("one_of", ()), *([list(members)] if shape.get("union") else [])]
        for group in groups:
            self._one_of(value, group, path)

    def _one_of(self, value: Mapping[str, Any], group: Sequence[str], path: str) -> None:
        given = [name for name in group if value.get(name) is not None]
        if len(given) != 1:
            self._add(
                "not-one-member",
                path,
                f"must have exactly one of {', '.join(group)}, has {', '.join(given) or 'none'}",
            )

    def _list(self, value: Sequence[Any], located: Located, path: str) -> None:
        self._length(value, located.shape, path, "entries")
        member = service_models.find(located.shape["member"]["shape"], located.service)
        for index, entry in enumerate(value):
            self.check(entry, member, f"{path}[{index}]")

    def _map(self, value: Mapping[str, Any], located: Located, path: str) -> None:
        self._length(value, located.shape, path, "entries")
        key = service_models.find(located.shape["key"]["shape"], located.service)
        content = service_models.find(located.shape["value"]["shape"], located.service)
        for name, entry in value.items():
            self.check(name, key, f"{path}.{name}")
            self.check(entry, content, f"{path}.{name}")

    def _string(self, value: str, located: Located, path: str) -> None:
        shape = located.shape
        if _UNKNOWN_TEXT.search(value):
            return
        allowed = shape.get("enum")
        if allowed is not None:
            if value not in allowed:
                message = f"{value!r} is not a value of {located.name}"
                self._add("unknown-value", path, f"{message}; {known(value, allowed)}")
        elif self._length(value, shape, path, "characters") and "pattern" in shape:
            pattern = service_models.pattern_of(shape["pattern"])
            if pattern is not None and not pattern.fullmatch(value):
                message = f"{value!r:.120} does not match {shape['pattern']}, the form of {located.name}"
                self._add("bad-pattern", path, message)

    def _length(self, value: Any, shape: Shape, path: str, unit: str) -> bool:
        least, most = shape.get("min", 0), shape.get("max")
        if len(value) >= least and (most is None or len(value) <= most):
            return True
        allowed = f"{least:,} to {most:,}" if most is not None else f"at least {least:,}"
        shown = f": {value!r:.60}" if isinstance(value, str) else ""
        self._add("bad-length", path, f"must have {allowed} {unit}, has {len(value):,}{shown}")
        return False

    def _number(self, value: float, located: Located, path: str) -> None:
        least, most = located.shape.get("min"), located.shape.get("max")
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = [f"at least {least:,}" if least is not None else "", f"at most {most:,}" if most else ""]
            self._add("out-of-range", path, f"must be {' and '.join(filter(None, bounds))}, got {value:,}")

    def _scalar(self, value: object, located: Located, path: str) -> None:
        if isinstance(value, list) or (isinstance(value, dict) and not is_expression(value)):
            self._add("wrong-type", path, f"must be a string, a number or a boolean, got {value!r:.80}")

    def _either(self, value: object, located: Located, path: str) -> None:
        """Check a value that may be written in two ways, by the way it is written."""
        kinds = {"string": str, "structure": dict, "list": list}
        for name, reference in located.shape.items():
            fits = is_expression(value) if name == "expression" else isinstance(value, kinds.get(name, ()))
            if fits:
                self.check(value, service_models.find(reference, located.service), path)
                return
        ways = [_NOUNS.get(name, "an expression") for name in located.shape if name != "type"]
        self._add("wrong-type", path, f"must be {' or '.join(ways)}, got {value!r:.80}")

    def _tagged(self, value: object, located: Located, path: str) -> None:
        """Check an object whose own member, such as a step's ``Type``, says what it has to look like."""
        tag, shapes = located.shape["tag"], located.shape["shapes"]
        outer, step = self._step, self._steps.get(path)
        self._step = step.name if step is not None else outer
        is_step = located.name == "AnyStep"
        if not isinstance(value, dict) or is_expression(value):
            self._add("wrong-type", path, f"must be an object, got {value!r:.80}")
        elif value.get(tag) is None:
            self._add("missing-member", f"{path}.{tag}", f"needs {tag}")
        elif not isinstance(value[tag], str) or value[tag] not in shapes:
            kind = "unknown-step-type" if is_step else "unknown-value"
            self._add(kind, f"{path}.{tag}", f"there is no {tag} {value[tag]!r}; {known(value[tag], shapes)}")
        else:
            self._nesting(path, value[tag]) if is_step else None
            self.check(value, service_models.find(shapes[value[tag]], located.service), path)
        self._step = outer

    def _nesting(self, path: str, kind: str) -> None:
        step = self._steps.get(path)
        for container, _ in step.containers if step is not None else ():
            if kind in step_type(container.type).refuses:
                message = f"a {kind} step cannot stand inside {container.name!r}, a {container.type} step"
                self._add("nested-step", path, message)

    def _expression(self, value: Any, located: Located, path: str) -> None:
        kind = located.shape["type"]
        target = self._references.target(value)
        fitting = _FITTING.get(kind)
        written = value.get("Get") or next(iter(value))
        if fitting is None:
            self._add("wrong-type", path, f"must be {_NOUNS[kind]}, got the expression {written!r}")
        elif target.type is not None and target.type not in fitting:
            message = f"must be {_NOUNS[kind]}, but {written!r} is {_NOUNS.get(target.type, target.type)}"
            self._add("wrong-type", path, message + self._as_text(target, located))
        elif target.parameter is not None:
            at, parameter = self._outline.parameters[target.parameter]
            for finding in self._tried(parameter.get("DefaultValue"), located, f"{at}.DefaultValue"):
                if finding.id != "wrong-type":
                    self._report.add(finding.id, finding.path, f"{finding.message}; it is used at {path}")

    def _as_text(self, target: Target, located: Located) -> str:
        """Say how a number becomes a text, where the text may then stand; ``Std:Join`` takes numbers."""
        if located.shape["type"] != "string" or target.type not in _FITTING["double"]:
            return ""
        declared = self._outline.parameters[target.parameter][1] if target.parameter is not None else {}
        default = declared.get("DefaultValue")
        text = None if default is None else str(default)
        if "enum" in located.shape or self._tried(text, located, ""):
            return ""
        what = "the property" if target.parameter is None else f"the parameter {target.parameter!r}"
        return f"; in the build function, write .to_string() after {what}"

    def _tried(self, value: object, located: Located, path: str) -> Iterable[Finding]:
        """Return what would be found of a value in the place of an expression."""
        trial = Report()
        ShapeChecker(self._outline, self._references, trial).check(value, located, path)
        return trial.findings


def _is_a(value: object, kind: str) -> bool:
    return isinstance(value, _PYTHON_TYPES[kind]) and (isinstance(value, bool) == (kind == "boolean"))
