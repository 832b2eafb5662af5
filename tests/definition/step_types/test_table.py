"""The rows of the step types, against the types, requests and calls that the SDK and botocore know."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from scheduled_pipeline.definition import step_types
from scheduled_pipeline.definition.parsed import NESTED
from scheduled_pipeline.definition.step_types.step_type import StepType
from scheduled_pipeline.definition.step_types.table import STEP_TYPES, step_type
from scheduled_pipeline.definition.validation import definition_format, service_models

# Of these no source tells what the execution role must be allowed, so synth warns of them. A type leaves this
# list when AWS documents it and its row has permissions; none comes here because somebody forgot them.
NOT_KNOWN = {
    "Athena",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
}

ROWS = list(STEP_TYPES.values())
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def _of_the_sdk() -> set[str]:
    """The members of the SDK's ``StepTypeEnum``, read and not imported: that takes seconds and a Region."""
    path = Path(str(distribution("sagemaker-mlops").locate_file("sagemaker/mlops/workflow/steps.py")))
    (enum,) = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == "StepTypeEnum"
    ]
    values = [node.value for node in enum.body if isinstance(node, ast.Assign)]
    return {str(value.value) for value in values if isinstance(value, ast.Constant)}


@cache
def _model(service: str = "sagemaker") -> dict[str, Any]:
    model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return model


def _of_botocore() -> set[str]:
    """The types that the API reports of an execution; a job is called ``TrainingJob`` there."""
    names = _model()["shapes"]["PipelineExecutionStepMetadata"]["members"]
    return {name.removesuffix("Job") or "Job" for name in names}


def _rows_in_the_modules() -> Iterator[StepType]:
    for module in pkgutil.iter_modules(step_types.__path__, f"{step_types.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            values = value if isinstance(value, tuple) else (value,)
            yield from (one for one in values if isinstance(one, StepType))


class TestTypes:
    def test_that_the_sdk_knows_have_a_row(self) -> None:
        assert len(_of_the_sdk()) > 20
        assert _of_the_sdk() - STEP_TYPES.keys() == set()

    def test_that_the_api_reports_have_a_row(self) -> None:
        assert len(_of_botocore()) > 20
        assert _of_botocore() - STEP_TYPES.keys() == set()

    def test_with_a_row_are_known_to_the_sdk_or_the_api(self) -> None:
        assert STEP_TYPES.keys() - _of_the_sdk() - _of_botocore() == set()

    def test_with_a_row_are_in_the_table(self) -> None:
        assert {row.name for row in _rows_in_the_modules()} == STEP_TYPES.keys()

    def test_without_a_row_are_none_whose_needs_are_known(self) -> None:
        assert not step_type("Nonsense").permissions.known


class TestPermissions:
    @each_row
    def test_are_in_each_row_or_the_row_says_why_not(self, row: StepType) -> None:
        told = row.permissions
        needs = bool(told.created or told.needs or told.then)
        assert [needs, bool(told.nothing), bool(told.not_known)].count(True) == 1, (
            f"the row of {row.name} must say what the execution role needs for it: created, needs or then; "
            "if that is nothing, why: nothing; if no source tells it, so: not_known"
        )

    def test_are_missing_for_those_types_alone_that_are_not_documented(self) -> None:
        assert {row.name for row in ROWS if not row.permissions.known} == NOT_KNOWN

    @each_row
    def test_of_what_is_created_are_for_calls_that_there_are(self, row: StepType) -> None:
        created = row.permissions.created
        if created is None:
            return
        verbs = ["Create", "Describe", *["Stop"] * created.is_job, *["Update"] * created.updated]
        assert {f"{verb}{created.noun}" for verb in verbs} <= _model()["operations"].keys()
        request = _model()["operations"][f"Create{created.noun}"]["input"]["shape"]
        assert f"{created.noun}Name" in _model()["shapes"][request]["members"]


class TestShapes:
    @each_row
    def test_that_a_row_names_are_there(self, row: StepType) -> None:
        for name in (row.arguments, *(row.properties or ()), *row.members.values(), *row.shapes):
            _walk(name, definition_format.SERVICE, set())

    @each_row
    def test_that_differ_from_a_request_differ_in_members_that_it_has(self, row: StepType) -> None:
        for shape in row.shapes.values():
            if "like" in shape:
                members = service_models.find(shape["like"]).shape["members"].keys()
                differing = [*shape["filled_in"], *shape["without"], *shape["members"]]
                assert set(differing) <= members

    def test_of_one_name_are_brought_by_one_row(self) -> None:
        names = Counter(name for row in ROWS for name in row.shapes)
        assert {name for name, count in names.items() if count > 1} == set()

    def test_that_hold_steps_are_where_a_definition_is_read_for_them(self) -> None:
        found = {
            row.name: tuple(
                name
                for name, member in service_models.find(row.arguments).shape.get("members", {}).items()
                if member["shape"] in {"Steps", "BranchSteps"}
            )
            for row in ROWS
        }
        assert {name: members for name, members in found.items() if members} == NESTED


@each_row
def test_a_row_refuses_types_and_requires_members_that_there_are(row: StepType) -> None:
    assert set(row.refuses) <= STEP_TYPES.keys()
    assert set(row.required) <= {"Arguments", *row.members}


def test_the_rows_import_nothing_from_those_that_read_them() -> None:
    above = ("scheduled_pipeline.definition.validation", "scheduled_pipeline.definition.permissions")
    for path in Path(step_types.__path__[0]).glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        modules = [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [name for name in modules if name.startswith(above)], path.name


def _walk(reference: str, service: str, seen: set[tuple[str, str]]) -> None:
    """Look up a shape and those in it, as far as they are the format's own."""
    located = service_models.find(reference, service)
    if (located.service, located.name) in seen or located.service != service:
        return
    seen.add((located.service, located.name))
    shape = located.shape
    inner = [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
    inner += [member["shape"] for member in shape.get("members", {}).values()]
    inner += list(shape.get("shapes", {}).values())
    inner += [shape[way] for way in ("string", "structure", "list", "expression") if way in shape]
    for name in inner:
        _walk(name, located.service, seen)
