"""A definition is validated as a whole, and refused with all that is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from changes import changed, paths
from compiling import CompileFunction, compile_function

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.findings import KINDS
from scheduled_pipeline.definition.model import MAX_BODY_CHARACTERS, DefinitionError
from scheduled_pipeline.definition.validation.validate import Finding, check, validate

ROOT = Path(__file__).resolve().parents[3]
INSTANCE = "Steps[0].Arguments.ProcessingResources.ClusterConfig.InstanceType"
TRANSFORM = "Steps[3].Arguments.IfSteps[1].Arguments"


@pytest.fixture(scope="module")
def abalone(compiled: CompileFunction) -> dict[str, Any]:
    return compiled("pipeline_defs.abalone.pipeline:build").document


def _message(document: dict[str, Any], path: str, value: Any) -> str:
    return "\n".join(finding.message for finding in validate(changed(document, path, value)))


class TestAGoodDefinition:
    @pytest.mark.parametrize("name", ["abalone", "daily_processing"])
    @pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "ap-south-1"])
    def test_has_no_findings(self, compiler: Compiler, name: str, region: str) -> None:
        compiled = compile_function(compiler, f"pipeline_defs.{name}.pipeline:build", region=region)
        assert validate(compiled.document) == ()

    def test_passes_the_check(self, abalone: dict[str, Any]) -> None:
        check(abalone, source="abalone")

    def test_is_not_changed(self, abalone: dict[str, Any]) -> None:
        before = json.dumps(abalone)
        validate(abalone)
        assert json.dumps(abalone) == before

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            # What AWS takes although it looks odd.
            ("MlflowConfig", {"MlflowResourceArn": "arn:a", "MlflowExperimentName": None}),
            ("Metadata", {"owner": "team"}),
            ("Parameters[5].DefaultValue", 6),
            ("Parameters[2].Description", "what to do with the model"),
            ("Steps[0].DisplayName", "A name with spaces: 1"),
            ("Steps[2].DependsOn", ["AbaloneTrain", {"Step": "AbaloneProcess", "Trigger": "Any"}]),
            # A step outside may wait for a step in a branch, and runs if that does.
            (
                "Steps[4]",
                {"Name": "After", "Type": "Fail", "DependsOn": ["AbaloneTransform"], "Arguments": {}},
            ),
            ("Steps[4]", {"Name": "After", "Type": "Fail", "DependsOn": ["AbaloneMSECond"], "Arguments": {}}),
            (INSTANCE, {"Get": "Parameters.TrainingInstanceType"}),
            (INSTANCE, {"Std:Join": {"On": "", "Values": ["ml.m5.", {"Get": "Parameters.InputDataUrl"}]}}),
            (INSTANCE, {"Get": "Steps.AbaloneTrain.ResourceConfig.InstanceType"}),
            ("Steps[2].Arguments.Tags", [{"Key": "größe", "Value": "ä"}]),
        ],
    )
    def test_may_have_what_the_service_takes(self, abalone: dict[str, Any], path: str, value: Any) -> None:
        if isinstance(value, dict) and "Get" in value and "AbaloneTrain" in value["Get"]:
            path = path.replace("Steps[0]", "Steps[2]")
        assert validate(changed(abalone, path, value)) == ()


class TestAPlaceholder:
    @pytest.mark.parametrize(
        "text",
        [
            placeholders.role("aws-cn"),
            f"s3 bucket {placeholders.ARTIFACT_BUCKET}",
            f"{placeholders.ASSET_BUCKET}/{'a' * 300}",
            placeholders.value("InstanceType"),
            f"ml.{placeholders.value('Family')}.xlargee",
            "${Token[TOKEN.123]}",
        ],
    )
    @pytest.mark.parametrize("path", [INSTANCE, "Steps[0].Arguments.RoleArn"])
    def test_makes_enum_pattern_and_length_unknown(
        self, abalone: dict[str, Any], path: str, text: str
    ) -> None:
        assert validate(changed(abalone, path, text)) == ()

    def test_is_still_a_string(self, abalone: dict[str, Any]) -> None:
        path = INSTANCE.replace("InstanceType", "InstanceCount")
        message = _message(abalone, path, placeholders.value("Count"))
        assert "must be an integer, got 'scheduled-pipeline-value-count" in message


class TestTheError:
    def test_lists_all_findings_with_place_step_value_and_what_is_allowed(
        self, abalone: dict[str, Any]
    ) -> None:
        document = changed(abalone, INSTANCE, "ml.m5.xlargee")
        document = changed(document, f"{TRANSFORM}.TransformResources.InstanceCount", 0)
        with pytest.raises(DefinitionError) as caught:
            check(document, source="the build function a:build")
        assert str(caught.value).splitlines() == [
            "the build function a:build: SageMaker would refuse the definition:",
            (
                f"  {INSTANCE}: step 'AbaloneProcess': 'ml.m5.xlargee' is not a value of "
                "ProcessingInstanceType; did you mean 'ml.m5.xlarge'? [unknown-value]"
            ),
            (
                f"  {TRANSFORM}.TransformResources.InstanceCount: step 'AbaloneTransform': "
                "must be at least 1, got 0 [out-of-range]"
            ),
        ]

    @pytest.mark.parametrize(
        ("path", "value", "message"),
        [
            ("Version", "2021", "'2021' is not a value of Version; there is 2020-12-01"),
            ("Steps[0].Type", "Procesing", "there is no Type 'Procesing'; did you mean 'Processing'?"),
            (
                "Parameters[0].DefaultValue",
                "1",
                "parameter 'ProcessingInstanceCount' is of type Integer, got '1'",
            ),
            (
                "Parameters[2].DefaultValue",
                "Maybe",
                "must be one of 'PendingManualApproval', 'Approved', 'Rejected', got 'Maybe'",
            ),
            (
                "Parameters[1].DefaultValue",
                "ml.m5.xlargee",
                "did you mean 'ml.m5.xlarge'?; it is used at Steps[1].Arguments.ResourceConfig.InstanceType",
            ),
            (
                "Steps[1].Arguments.RoleArn",
                {"Get": "Parameters.MseTreshold"},
                "no parameter 'MseTreshold' is declared; did you mean 'MseThreshold'?",
            ),
            (
                "Steps[1].Arguments.RoleArn",
                {"Get": "Steps.AbaloneProces.RoleArn"},
                "there is no step 'AbaloneProces'; did you mean 'AbaloneProcess'?",
            ),
            (
                "Steps[1].Arguments.RoleArn",
                {"Get": "Execution.PipelineExecutionID"},
                "Execution has no 'PipelineExecutionID'; did you mean 'PipelineExecutionId'?",
            ),
            (
                "Steps[2].Arguments.RoleArn",
                {"Get": "Steps.AbaloneTrain.ModelArtifacts.S3ModelArtifact"},
                "ModelArtifacts has no property 'S3ModelArtifact'; did you mean 'S3ModelArtifacts'?",
            ),
            (
                "Steps[1].Arguments.HyperParameters.eta",
                {"Get": "Parameters.MseThreshold"},
                "is a number; in the build function, write .to_string() after the parameter 'MseThreshold'",
            ),
            (
                "Steps[1].Arguments.HyperParameters.eta",
                {"Get": "Steps.AbaloneTrain.BillableTimeInSeconds"},
                "is an integer; in the build function, write .to_string() after the property",
            ),
            ("Steps[1].Arguments.Hyperparameters", {}, "did you mean 'HyperParameters'?"),
            (
                "Steps[4]",
                {
                    "Name": "A",
                    "Type": "Fail",
                    "Arguments": {"ErrorMessage": {"Get": "Steps.AbaloneMSEFail.A"}},
                },
                "'Steps.AbaloneMSEFail.A': a Fail step has no properties",
            ),
            (
                "Steps[0].DependsOn",
                ["AbaloneTrain"],
                "these steps wait for each other: AbaloneProcess -> AbaloneTrain -> AbaloneProcess",
            ),
            (
                "Steps[3].Arguments.ElseSteps[0].DependsOn",
                ["AbaloneTransform"],
                "waits for steps of both branches of 'AbaloneMSECond', of which only one runs",
            ),
            (
                "Steps[3].Arguments.Conditions[0].LeftValue.Std:JsonGet.PropertyFile.Get",
                "Steps.AbaloneEval.PropertyFiles.Report",
                "step 'AbaloneEval' declares no property file 'Report'",
            ),
        ],
    )
    def test_says_what_may_have_been_meant(
        self, abalone: dict[str, Any], path: str, value: Any, message: str
    ) -> None:
        assert message in _message(abalone, path, value)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (INSTANCE, {"Get": "Parameters.MseThreshold"}),
            ("Steps[1].Arguments.RoleArn", {"Get": "Parameters.MseThreshold"}),
            ("Steps[1].Arguments.ResourceConfig.InstanceCount", {"Get": "Parameters.MseThreshold"}),
        ],
    )
    def test_does_not_make_a_text_of_a_number_that_is_none(
        self, abalone: dict[str, Any], path: str, value: Any
    ) -> None:
        assert "to_string" not in _message(abalone, path, value)

    def test_a_number_as_a_text_is_no_finding(self, abalone: dict[str, Any]) -> None:
        text = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.MseThreshold"}]}}
        assert validate(changed(abalone, "Steps[1].Arguments.HyperParameters.eta", text)) == ()


class TestOneMistake:
    def test_is_one_finding_however_many_steps_follow(self, abalone: dict[str, Any]) -> None:
        both = ["AbaloneTransform", "Other"]
        other = {"Name": "Other", "Type": "Callback", "SqsQueueUrl": "https://sqs"}
        document = changed(abalone, "Steps[3].Arguments.ElseSteps[1]", other)
        document = changed(document, "Steps[4]", {**other, "Name": "After", "DependsOn": both})
        document = changed(document, "Steps[5]", {**other, "Name": "Last", "DependsOn": ["After"]})
        assert [(finding.id, finding.path) for finding in validate(document)] == [("never-runs", "Steps[4]")]

    def test_in_two_places_is_two_findings(self, abalone: dict[str, Any]) -> None:
        document = changed(abalone, INSTANCE, "ml.m5.xlargee")
        document = changed(document, INSTANCE.replace("[0]", "[2]"), "ml.m5.xlargee")
        assert [finding.path for finding in validate(document)] == [INSTANCE, INSTANCE.replace("[0]", "[2]")]

    def test_of_the_experiment_that_there_is_not_is_found_where_it_is_used(
        self, abalone: dict[str, Any]
    ) -> None:
        path = "Steps[0].Arguments.Environment"
        document = changed(abalone, path, {"E": {"Get": "PipelineExperimentConfig.ExperimentName"}})
        assert validate(document) == ()
        (finding,) = validate(changed(document, "PipelineExperimentConfig", None))
        assert (finding.id, finding.path) == ("unknown-reference", f"{path}.E")


class TestSuppress:
    @pytest.fixture
    def broken(self, abalone: dict[str, Any]) -> dict[str, Any]:
        document = changed(abalone, "Steps[1].Arguments.Foo", {"Bar": 1})
        document = changed(document, f"{TRANSFORM}.Foo", 1)
        return changed(document, "Parameters[1].DefaultValue", "ml.m9.large")

    @pytest.mark.parametrize(
        ("suppress", "left"),
        [
            ([], ["unknown-member", "unknown-value", "unknown-member"]),
            (["unknown-member"], ["unknown-value"]),
            (["unknown-member", "unknown-value"], []),
            (["unknown-member:Steps[1].Arguments.Foo"], ["unknown-value", "unknown-member"]),
            (["unknown-member:Steps.AbaloneTrain.Arguments.Foo"], ["unknown-value", "unknown-member"]),
            (["unknown-member:Steps.AbaloneTransform.Arguments"], ["unknown-member", "unknown-value"]),
            (
                ["unknown-member:Steps.AbaloneTrain.Arguments.Fo"],
                ["unknown-member", "unknown-value", "unknown-member"],
            ),
            (["unknown-value:Steps.AbaloneTrain"], ["unknown-member", "unknown-value", "unknown-member"]),
            (["unknown-value:Parameters.TrainingInstanceType"], ["unknown-member", "unknown-member"]),
        ],
    )
    def test_leaves_out_a_kind_or_a_kind_at_a_place(
        self, broken: dict[str, Any], suppress: list[str], left: list[str]
    ) -> None:
        found = [finding.id for finding in validate(broken, suppress=suppress)]
        assert sorted(found) == sorted(left)

    def test_lets_a_definition_pass_the_check(self, broken: dict[str, Any]) -> None:
        check(broken, source="abalone", suppress=["unknown-member", "unknown-value"])

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ("unknown-membre", "there is no finding 'unknown-membre'; did you mean 'unknown-member'?"),
            ("Steps.Train", "there is no finding 'Steps.Train'"),
            ("unknown-member:", "'unknown-member:' has no path after the colon"),
        ],
    )
    def test_of_a_finding_that_does_not_exist_is_refused(self, entry: str, message: str) -> None:
        with pytest.raises(ValueError, match="suppress_findings: ") as caught:
            validate({}, suppress=[entry])
        assert message in str(caught.value)

    def test_of_a_string_is_refused(self) -> None:
        with pytest.raises(TypeError, match="suppress_findings must be a list of findings"):
            validate({}, suppress="unknown-member")


class TestAnything:
    """Whatever stands in the place of any part of a definition, there is an answer and not a crash."""

    @pytest.mark.parametrize(
        "value", [None, 1, "", [], {}, [{}], {"Get": "Steps.A.B[0"}, {"Std:Join": []}], ids=repr
    )
    def test_can_stand_anywhere(self, abalone: dict[str, Any], value: Any) -> None:
        for path in paths(abalone):
            for finding in validate(changed(abalone, path, value)):
                assert finding.id in KINDS
                assert isinstance(finding, Finding)

    def test_that_is_missing_is_asked_for(self) -> None:
        assert [str(finding) for finding in validate({})] == [
            "Version: Definition needs Version [missing-member]",
            "Steps: Definition needs Steps [missing-member]",
        ]


class TestTheSize:
    def test_of_a_body_is_limited(self, abalone: dict[str, Any]) -> None:
        (finding,) = validate(changed(abalone, "Metadata", {"text": "a" * MAX_BODY_CHARACTERS}))
        assert (finding.id, finding.path) == ("bad-length", "Steps")
        assert "SageMaker allows 1,048,576" in finding.message

    def test_of_a_body_is_that_of_its_shortest_form(self, abalone: dict[str, Any]) -> None:
        fits = {"list": ["a"] * 200_000}
        too_long = {"list": ["a"] * 270_000}
        assert validate(changed(abalone, "Metadata", fits)) == ()
        assert [finding.id for finding in validate(changed(abalone, "Metadata", too_long))] == ["bad-length"]


class TestSpeed:
    def test_fifty_steps_take_fifty_milliseconds_at_most(self, abalone: dict[str, Any]) -> None:
        document = _enlarged(abalone, 10)
        assert validate(document) == ()
        assert sum(1 for path in paths(document) if path.endswith(".Arguments")) >= 50
        times = []
        for _ in range(5):
            start = time.perf_counter()
            validate(document)
            times.append(time.perf_counter() - start)
        assert min(times) < 0.05

    @pytest.mark.process
    def test_the_import_reads_no_model_and_neither_the_sdk_nor_the_cdk(self) -> None:
        code = (
            "import sys; import scheduled_pipeline.definition.validation.validate;"
            "loaded = {name.split('.')[0] for name in sys.modules};"
            "print(*loaded & {'botocore', 'boto3', 'sagemaker', 'jsii'})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(ROOT / "constructs")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == []


def _enlarged(document: dict[str, Any], times: int) -> dict[str, Any]:
    """Return a definition with so many copies of all steps, under names of their own."""
    names = {path: None for path in paths(document) if path.endswith(".Name") and path.startswith("Steps")}
    steps = []
    for number in range(times):
        text = json.dumps(document["Steps"])
        for path in names:
            name = _value(document, path)
            for before, after in (('"', '"'), ("Steps.", ".")):
                text = text.replace(f"{before}{name}{after}", f"{before}{name}x{number}{after}")
        steps += json.loads(text)
    return {**document, "Steps": steps}


def _value(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.replace("]", "").replace("[", ".").split("."):
        value = value[int(part)] if part.isdigit() else value[part]
    return value
