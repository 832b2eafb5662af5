"""Where a definition may come from, and how each slip is named."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline import DefinitionError, PipelineContext, PipelineDefinition
from scheduled_pipeline.definition.compiler.source import FunctionReference


def build(context: PipelineContext) -> Any:
    """A build function as it should be: at the top of a module."""


class TestAFunction:
    def test_is_known_by_its_module_and_name(self) -> None:
        definition = PipelineDefinition.of(json.dumps)
        assert definition.function == FunctionReference("json", "dumps")

    def test_may_be_given_as_a_string_that_imports_nothing(self) -> None:
        definition = PipelineDefinition.of("no_such_module.at_all:build")
        assert str(definition.function) == "no_such_module.at_all:build"

    def test_that_is_a_lambda_is_refused(self) -> None:
        with pytest.raises(
            ValueError, match=r"is a lambda, so it cannot be imported; write it as a function at the top"
        ):
            PipelineDefinition.of(lambda context: None)

    def test_that_is_a_closure_is_refused(self) -> None:
        def local(context: PipelineContext) -> None: ...

        with pytest.raises(
            ValueError, match=r"local is defined inside another function, .* 'package\.module:build'"
        ):
            PipelineDefinition.of(local)

    def test_that_is_a_partial_is_refused(self) -> None:
        with pytest.raises(ValueError, match="has no name to import it by"):
            PipelineDefinition.of(functools.partial(json.dumps, indent=1))

    def test_of_the_script_that_is_run_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(build, "__module__", "__main__")
        with pytest.raises(ValueError, match=r"'build' is defined in .*test_source\.py, which is being run"):
            PipelineDefinition.of(build)

    def test_that_another_has_replaced_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = json.dumps
        monkeypatch.setattr(json, "dumps", json.loads)
        with pytest.raises(ValueError, match="json:dumps is not the function that was given"):
            PipelineDefinition.of(original)

    @pytest.mark.parametrize("text", ["", "module", "module:", ":build", "a/b.py:build", "module:build()"])
    def test_as_a_string_must_be_module_and_function(self, text: str) -> None:
        expected = re.escape(
            f"definition must be 'module:function', such as 'pipeline_defs.daily:build', got {text!r}"
        )
        with pytest.raises(ValueError, match=expected):
            PipelineDefinition.of(text)

    def test_is_not_a_number(self) -> None:
        with pytest.raises(TypeError, match="definition must be a function, a string 'module:function' or"):
            PipelineDefinition.of(5)  # type: ignore[arg-type]


class TestJson:
    def test_is_taken_as_an_object(self, small_definition: dict[str, Any]) -> None:
        compiled = PipelineDefinition.from_json(small_definition).compiled
        assert compiled is not None
        assert compiled.document == small_definition

    def test_is_taken_from_a_file(self, small_definition: dict[str, Any], tmp_path: Path) -> None:
        path = tmp_path / "definition.json"
        path.write_text(json.dumps(small_definition), encoding="utf-8")
        assert PipelineDefinition.from_json(path) == PipelineDefinition.from_json(small_definition)

    def test_keeps_numbers_nulls_and_letters_as_they_are(self, small_definition: dict[str, Any]) -> None:
        text = json.dumps({**small_definition, "MlflowConfig": None, "Metadata": {"é": 6.0, "n": 10**20}})
        compiled = PipelineDefinition.from_json(json.loads(text)).compiled
        assert compiled is not None
        assert '"é": 6.0,' in compiled.body
        assert f'"n": {10**20}' in compiled.body
        assert '"MlflowConfig": null' in compiled.body

    def test_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(
            DefinitionError, match=r"the definition file '.*missing\.json' cannot be read: .*No such file"
        ):
            PipelineDefinition.from_json(tmp_path / "missing.json")

    def test_that_is_not_json_is_named_with_the_place(self, tmp_path: Path) -> None:
        path = tmp_path / "broken.json"
        path.write_text('{"Version": ', encoding="utf-8")
        with pytest.raises(
            DefinitionError, match=r"broken\.json: the definition is not JSON: .*line 1 column 13"
        ):
            PipelineDefinition.from_json(path)

    def test_that_python_cannot_write_is_refused(self, small_definition: dict[str, Any]) -> None:
        with pytest.raises(DefinitionError, match=r"the definition is not JSON: Object of type \w+Path"):
            PipelineDefinition.from_json({**small_definition, "Metadata": Path()})

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"Steps": []}, r"Steps must be a list of at least one step, got \[\]"),
            ({"Steps": None}, "Steps must be a list of at least one step, got None"),
            (
                {"Steps": [{"Name": "A"}]},
                r"Steps\[0\] must be an object with Name and Type, got {'Name': 'A'}",
            ),
            ({"Steps": ["A"]}, r"Steps\[0\] must be an object with Name and Type, got 'A'"),
            ({"Version": None}, "Version must be a string such as '2020-12-01', got None"),
            ({"Parameters": {}}, "Parameters must be a list"),
            ({"Parameters": [{"Name": "A"}]}, r"Parameters\[0\] must be an object with Name and Type"),
        ],
    )
    def test_that_is_not_a_definition_is_refused(
        self, small_definition: dict[str, Any], change: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(DefinitionError, match=message):
            PipelineDefinition.from_json({**small_definition, **change})

    def test_that_is_a_list_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "list.json"
        path.write_text("[]", encoding="utf-8")
        with pytest.raises(DefinitionError, match="the definition must be a JSON object, got a list"):
            PipelineDefinition.from_json(path)

    def test_that_is_too_long_for_sagemaker_is_refused(self, small_definition: dict[str, Any]) -> None:
        with pytest.raises(
            DefinitionError, match=r"has 1,\d{3},\d{3} characters, SageMaker allows 1,048,576"
        ):
            PipelineDefinition.from_json({**small_definition, "Metadata": {"a": "x" * 1_048_576}})


class TestAnObjectOfTheSdk:
    def test_must_be_a_pipeline(self) -> None:
        with pytest.raises(
            TypeError, match="from_sdk takes a Pipeline of the SageMaker Python SDK, got 'text'"
        ):
            PipelineDefinition.from_sdk("text")

    def test_has_its_uploads_recorded_and_calls_no_aws(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        compiled = PipelineDefinition.from_sdk(_pipeline_object()).compiled
        assert compiled is not None
        assert [upload.name for upload in compiled.uploads] == ["step.py"]
        assert compiled.uploads[0].placeholder_uri in compiled.body
        assert "arn:aws:iam::111122223333:role/mine" in compiled.body


def _pipeline_object() -> Any:
    """A pipeline as a user's own script makes it, with a session and a bucket of its own."""
    import boto3
    import sample_pipelines
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    session = PipelineSession(boto_session=boto3.Session(region_name="eu-west-1"), default_bucket="mine")
    context = PipelineContext(
        session=session,
        role="arn:aws:iam::111122223333:role/mine",
        bucket="mine",
        region="eu-west-1",
        account="111122223333",
        partition="aws",
        pipeline_name="Mine",
    )
    return sample_pipelines.script(context)
