"""``References``: what the expressions of a definition refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.definition.findings import Report, known
from scheduled_pipeline.definition.parsed import Outline, PlacedStep, is_expression, objects
from scheduled_pipeline.definition.validation.properties import PropertyError, property_type

# ExecutionVariables of the SDK.
_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
# PipelineExperimentConfigProperties of the SDK.
_EXPERIMENT = ("ExperimentName", "TrialName")
_ROOTS = ("Parameters", "Execution", "Steps", "PipelineExperimentConfig", "ForEach", "IterationOutput")
_STEP = re.compile(r"Steps\.([A-Za-z0-9\-_]+)(.*)", re.DOTALL)
_PROPERTY_FILE = re.compile(r"Steps\.([A-Za-z0-9\-_]+)\.PropertyFiles\.(.+)", re.DOTALL)
_PARAMETER_TYPES = {"String": "string", "Integer": "integer", "Float": "float", "Boolean": "boolean"}


@dataclass(frozen=True)
class Target:
    """What an expression refers to.

    Attributes:
        type: a type of botocore's, such as ``string``, or None if it is not known.
        step: the name of the step it refers to.
        parameter: the name of the parameter it refers to.
        problem: the id and message of the finding, if it refers to nothing.
    """

    type: str | None = None
    step: str | None = None
    parameter: str | None = None
    problem: tuple[str, str] | None = None


class References:
    """Resolves the references of one definition and reports those that refer to nothing."""

    def __init__(self, document: Mapping[str, Any], outline: Outline) -> None:
        self._outline = outline
        self._experiment = _EXPERIMENT if document.get("PipelineExperimentConfig") else ()
        self._resolved: dict[str, Target] = {}

    def target(self, expression: Mapping[str, Any]) -> Target:
        """Return what an expression refers to; a ``Std:Join`` is a string, a ``Std:JsonGet`` anything."""
        if isinstance(expression.get("Get"), str):
            return self._get(expression["Get"])
        return Target(type="string" if "Std:Join" in expression else None)

    def check(self, value: object, path: str, step: PlacedStep | None, report: Report) -> Iterator[str]:
        """Report what is wrong with all references in ``value`` and yield the steps they refer to."""
        if isinstance(value, Mapping):
            if is_expression(value):
                yield from self._check_expression(value, path, step, report)
                return
            for name, content in value.items():
                yield from self.check(content, f"{path}.{name}" if path else name, step, report)
        elif isinstance(value, list):
            for index, content in enumerate(value):
                yield from self.check(content, f"{path}[{index}]", step, report)

    def _check_expression(
        self, expression: Mapping[str, Any], path: str, step: PlacedStep | None, report: Report
    ) -> Iterator[str]:
        name, content = next(iter(expression.items()))
        where = step.name if step else None
        if name == "Get" and isinstance(content, str):
            target = self._get(content)
            problem = target.problem or self._misplaced(content, path, step)
            if problem is not None:
                report.add(problem[0], path, f"{content!r}: {problem[1]}", step=where)
            if target.step is not None:
                yield target.step
        elif name == "Std:Join" and _is_join(content):
            yield from self.check(content["Values"], f"{path}.Std:Join.Values", step, report)
        elif name == "Std:JsonGet" and _is_json_get(content):
            yield from self._check_json_get(content, path, step, report)
        else:
            report.add("bad-expression", path, f"{expression!r:.120} is not {_FORMS}", step=where)

    def _check_json_get(
        self, content: Mapping[str, Any], path: str, step: PlacedStep | None, report: Report
    ) -> Iterator[str]:
        path = f"{path}.Std:JsonGet"
        if "S3Uri" in content:
            yield from self.check(content["S3Uri"], f"{path}.S3Uri", step, report)
            return
        text = content["PropertyFile"]["Get"]
        problem = self._property_file(text)
        if problem is not None:
            where = step.name if step else None
            report.add(problem[0], f"{path}.PropertyFile", f"{text!r}: {problem[1]}", step=where)
        match = _STEP.fullmatch(text)
        if match is not None and match[1] in self._outline.by_name:
            yield match[1]

    def _get(self, text: str) -> Target:
        if text not in self._resolved:
            self._resolved[text] = self._resolve(text)
        return self._resolved[text]

    def _resolve(self, text: str) -> Target:
        root, _, rest = text.partition(".")
        match root:
            case "Parameters":
                return self._parameter(rest)
            case "Steps":
                return self._step(text)
            case "ForEach" | "IterationOutput":
                return Target()
        variables = {"Execution": _VARIABLES, "PipelineExperimentConfig": self._experiment}.get(root)
        if variables is None:
            message = f"there is no {root!r}; {known(root, _ROOTS)}"
        elif rest in variables:
            return Target(type="string")
        else:
            message = f"{root} has no {rest!r}; {known(rest, variables)}"
        return Target(problem=("unknown-reference", message))

    def _parameter(self, name: str) -> Target:
        parameters = self._outline.parameters
        if name not in parameters:
            message = f"no parameter {name!r} is declared; {known(name, parameters)}"
            return Target(problem=("unknown-parameter", message))
        declared = parameters[name][1].get("Type")
        return Target(type=_PARAMETER_TYPES.get(str(declared)), parameter=name)

    def _step(self, text: str) -> Target:
        match = _STEP.fullmatch(text)
        if match is None:
            return Target(problem=("unknown-reference", "the name of a step has to follow Steps."))
        name, path = match.groups()
        step = self._outline.by_name.get(name)
        if step is None:
            return Target(problem=("unknown-step", unknown_step(name, self._outline)))
        try:
            return Target(type=property_type(self._outline, step, path), step=name)
        except PropertyError as error:
            return Target(step=name, problem=(error.kind, str(error)))

    def _misplaced(self, text: str, path: str, step: PlacedStep | None) -> tuple[str, str] | None:
        """Say what is wrong with the place of a reference to the item or the output of an iteration."""
        if text.startswith("ForEach."):
            if step is None or step.loop() is None:
                return "foreach-reference", "there is an item only in the body of a ForEach step"
            if not re.match(r"ForEach\.CurrentItem($|[.\[])", text):
                return "unknown-reference", "of ForEach there is CurrentItem only"
        if text.startswith("IterationOutput."):
            if step is None or not path.endswith(".Selector.Field"):
                return "foreach-reference", "an iteration's output can be given to a Selector's Field only"
            return self._selected(text.removeprefix("IterationOutput."), step)
        return None

    def _selected(self, text: str, loop: PlacedStep) -> tuple[str, str] | None:
        name = re.split(r"[.\[]", text, maxsplit=1)[0]
        bodies = {step.name: step for step in self._outline.steps if step.container is loop}
        if name not in bodies:
            return "unknown-step", f"the body has no step {name!r}; {known(name, bodies)}"
        try:
            property_type(self._outline, bodies[name], text[len(name) :])
        except PropertyError as error:
            return error.kind, str(error)
        return None

    def _property_file(self, text: str) -> tuple[str, str] | None:
        match = _PROPERTY_FILE.fullmatch(text)
        if match is None:
            return "unknown-reference", "a property file is written Steps.<step>.PropertyFiles.<name>"
        name, file = match.groups()
        step = self._outline.by_name.get(name)
        if step is None:
            return "unknown-step", unknown_step(name, self._outline)
        declared = [entry.get("PropertyFileName") for _, entry in objects(step.body.get("PropertyFiles"))]
        if file not in declared:
            message = f"step {name!r} declares no property file {file!r}; {known(file, map(str, declared))}"
            return "unknown-property-file", message
        return None


def unknown_step(name: object, outline: Outline) -> str:
    """Say that there is no step of a name, and which may have been meant."""
    return f"there is no step {name!r}; {known(name, outline.by_name)}"


_FORMS = (
    "{'Get': 'text'}, {'Std:Join': {'On': 'text', 'Values': [...]}} or "
    "{'Std:JsonGet': {'PropertyFile': {'Get': ...} or 'S3Uri': ..., 'Path': 'text'}}"
)


def _is_join(content: object) -> bool:
    return (
        isinstance(content, Mapping)
        and content.keys() <= {"On", "Values"}
        and isinstance(content.get("On", ""), str)
        and isinstance(content.get("Values"), list)
        and all(is_expression(one) or not isinstance(one, list | dict) for one in content["Values"])
    )


def _is_json_get(content: object) -> bool:
    if not isinstance(content, Mapping) or not isinstance(content.get("Path"), str):
        return False
    if content.keys() == {"Path", "S3Uri"}:
        return True
    file = content.get("PropertyFile")
    return (
        content.keys() == {"Path", "PropertyFile"}
        and isinstance(file, Mapping)
        and isinstance(file.get("Get"), str)
    )
