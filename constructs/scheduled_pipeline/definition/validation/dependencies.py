"""``Dependencies``: which steps wait for which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from scheduled_pipeline.definition.findings import Report
from scheduled_pipeline.definition.parsed import Outline, PlacedStep, objects
from scheduled_pipeline.definition.validation.references import References, unknown_step

_Branch = tuple[str, str]


@dataclass
class Dependencies:
    """The steps that each step waits for.

    Attributes:
        outline: the definition.
        strict: by step name, the steps that have to complete first.
        lenient: by step name, the steps that may as well fail or not run: ``DependsOn`` with a trigger.
    """

    outline: Outline
    strict: dict[str, dict[str, None]] = field(default_factory=dict)
    lenient: dict[str, dict[str, None]] = field(default_factory=dict)

    @classmethod
    def of(cls, outline: Outline, references: References, report: Report) -> Dependencies:
        """Collect the dependencies from ``DependsOn`` and all references, and report those on nothing."""
        graph = cls(outline)
        for step in outline.steps:
            strict = graph.strict.setdefault(step.name, {})
            if step.container is not None:
                strict[step.container.name] = None
            for path, value in step.own_parts():
                for name in references.check(value, path, step, report):
                    graph._check_reach(step, name, path, report)
                    strict[name] = None
            for path, name, trigger in _explicit(step):
                if graph._check_explicit(step, name, path, report):
                    target = strict if trigger == "Completed" else graph.lenient.setdefault(step.name, {})
                    target[name] = None
        return graph

    def without(self, names: Set[str]) -> Dependencies:
        """Leave out steps by name: where two steps have it, nobody knows which one is waited for."""
        return replace(self, strict=_without(self.strict, names), lenient=_without(self.lenient, names))

    def check(self, report: Report) -> None:
        """Report cycles, and steps that wait for both branches of a condition."""
        cycles = list(self._cycles())
        for cycle in cycles:
            path = self.outline.by_name[cycle[0]].path
            written = " -> ".join([*cycle, cycle[0]])
            report.add("cycle", path, f"these steps wait for each other: {written}", step=cycle[0])
        if not cycles:
            self._check_branches(report)

    def _check_explicit(self, step: PlacedStep, name: str, path: str, report: Report) -> bool:
        found = self.outline.by_name.get(name)
        if found is None:
            report.add("unknown-step", path, unknown_step(name, self.outline), step=step.name)
            return False
        if found.type == "Fail":
            # The service's answer is "CondStep can not depends on FailStep" (the SDK's test on AWS).
            message = f"{name!r} is a Fail step, which ends the execution: nothing can wait for it"
            report.add("fail-dependency", path, message, step=step.name)
            return False
        self._check_reach(step, name, path, report)
        return True

    def _check_reach(self, step: PlacedStep, name: str, path: str, report: Report) -> None:
        """Refuse a step in the body of a ForEach to those outside: it runs as ``<name>-0``, ``<name>-1``."""
        target = self.outline.by_name.get(name)
        loop = target.loop() if target is not None else None
        if loop is not None and step.loop() is not loop:
            message = (
                f"{name!r} is in the body of {loop.name!r}; from outside it is "
                f"Steps.{loop.name}.IterationOutputs[0].{name}, and DependsOn is {loop.name!r}"
            )
            report.add("foreach-reference", path, message, step=step.name)

    def _cycles(self) -> Iterator[list[str]]:
        """Yield cycles that have no step in common, as long as there is one."""
        done: set[str] = set()
        found: set[str] = set()
        for start in self.strict:
            trail: dict[str, Iterator[str]] = {}
            self._enter(start, trail, done)
            while trail:
                name, successors = next(reversed(trail.items()))
                following = next(successors, None)
                if following is None:
                    trail.pop(name)
                    done.add(name)
                elif following in trail:
                    names = list(trail)
                    cycle = names[names.index(following) :]
                    if found.isdisjoint(cycle):
                        yield cycle
                    found.update(cycle)
                else:
                    self._enter(following, trail, done)

    def _enter(self, name: str, trail: dict[str, Iterator[str]], done: set[str]) -> None:
        if name not in done:
            trail[name] = iter([*self.strict.get(name, {}), *self.lenient.get(name, {})])

    def _check_branches(self, report: Report) -> None:
        """Refuse what waits for both branches of a condition, since it starts when all have completed.

        That a step waits for one branch from outside is allowed: it runs if the branch does.
        https://github.com/aws/sagemaker-python-sdk/issues/3565
        """
        needed: dict[str, dict[_Branch, None]] = {}
        for name in self._in_order():
            step = self.outline.by_name[name]
            inherited = [needed.get(other, {}) for other in self.strict.get(name, {})]
            own = dict.fromkeys((box.name, branch) for box, branch in step.containers)
            needed[name] = {**own, **{branch: None for branches in inherited for branch in branches}}
            before = {condition for branches in inherited for condition in _contradictions(branches)}
            for condition in _contradictions(needed[name]):
                if condition not in before:
                    message = f"waits for steps of both branches of {condition!r}, of which only one runs"
                    report.add("never-runs", step.path, message, step=name)

    def _in_order(self) -> Iterator[str]:
        """Yield the names of the steps, those that a step waits for before it; there must be no cycle."""
        done: set[str] = set()
        for start in self.strict:
            stack = [start]
            while stack:
                open_ones = [name for name in self.strict.get(stack[-1], {}) if name not in done]
                if open_ones:
                    stack.extend(open_ones)
                    continue
                name = stack.pop()
                if name not in done:
                    done.add(name)
                    yield name


def check_names(outline: Outline, report: Report) -> set[str]:
    """Report names that two steps have, or a step and a copy of a step in a ForEach body.

    Returns the names that two steps have.
    """
    ambiguous: set[str] = set()
    seen: dict[str, PlacedStep] = {}
    copies = {step.name for step in outline.steps if step.loop() is not None}
    for step in outline.steps:
        first = seen.setdefault(step.name, step)
        if first is not step:
            ambiguous.add(step.name)
            message = f"the name is taken by {first.path}; names are unique over all branches"
            report.add("duplicate-step-name", f"{step.path}.Name", message, step=step.name)
        # ForEachStep of the SDK: the service names the copies so, and rejects such collisions.
        match = re.fullmatch(r"(.+)-\d+", step.name)
        if match is not None and match[1] in copies:
            message = f"the copies of {match[1]!r}, which is in the body of a ForEach, get such names"
            report.add("duplicate-step-name", f"{step.path}.Name", message, step=step.name)
    return ambiguous


def _without(graph: Mapping[str, dict[str, None]], names: Set[str]) -> dict[str, dict[str, None]]:
    return {
        name: {other: None for other in others if other not in names}
        for name, others in graph.items()
        if name not in names
    }


def _contradictions(branches: Mapping[_Branch, None]) -> list[str]:
    """Return the conditions of which both branches are needed."""
    return [name for name, branch in branches if branch == "IfSteps" and (name, "ElseSteps") in branches]


def _explicit(step: PlacedStep) -> Iterator[tuple[str, str, str]]:
    """Yield path, step name and trigger of what ``DependsOn`` and the sources of a Cleanup step name."""
    entries = step.body.get("DependsOn")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        path = f"{step.path}.DependsOn[{index}]"
        if isinstance(entry, str):
            yield path, entry, "Completed"
        elif isinstance(entry, Mapping) and isinstance(entry.get("Step"), str):
            yield path, entry["Step"], str(entry.get("Trigger"))
    resources = step.arguments.get("Resources") if step.type == "Cleanup" else None
    sources = resources.get("S3") if isinstance(resources, Mapping) else None
    for index, entry in objects(sources):
        if isinstance(entry.get("StepName"), str):
            yield f"{step.path}.Arguments.Resources.S3[{index}].StepName", entry["StepName"], "Any"
