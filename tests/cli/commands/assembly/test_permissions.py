"""`scheduled-pipeline permissions`: what is derived from the templates of an assembly."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scheduled_pipeline.cli.main import app

ROLE = "arn:aws:iam::111122223333:role/mine"
STEP = {
    "Name": "Process",
    "Type": "Processing",
    "Arguments": {
        "ProcessingInputs": [{"InputName": "a", "S3Input": {"S3Uri": "s3://data/in"}}],
        "RoleArn": "arn:aws:iam::111122223333:role/mine",
    },
}


def pipeline(body: object = None, **properties: object) -> dict[str, Any]:
    """The resource of a pipeline; its definition has one step unless another body is given."""
    definition = {"Version": "2020-12-01", "Steps": [STEP]}
    usual = {
        "PipelineName": "Training",
        "RoleArn": ROLE,
        "PipelineDefinition": {
            "PipelineDefinitionBody": json.dumps(definition) if body is None else body,
        },
    }
    return {"Type": "AWS::SageMaker::Pipeline", "Properties": {**usual, **properties}}


@pytest.fixture
def run(write_assembly: Callable[..., Path]) -> Callable[..., Any]:
    """Write an assembly with these resources and run the command on it."""

    def run(resources: dict[str, Any], *options: str) -> Any:
        folder = write_assembly(resources)
        return CliRunner().invoke(app, ["permissions", "--assembly", str(folder), *options])

    return run


@pytest.fixture
def rows(run: Callable[..., Any]) -> Callable[..., list[dict[str, str]]]:
    """The lines of the plain form, by the names of their columns."""

    def read(resources: dict[str, Any]) -> list[dict[str, str]]:
        names, *lines = (line.split("\t") for line in run(resources).stdout.splitlines())
        return [dict(zip(names, line, strict=True)) for line in lines]

    return read


def test_every_action_on_every_resource_has_a_line_with_step_and_reason(rows: Callable[..., Any]) -> None:
    (read,) = [row for row in rows({"A": pipeline()}) if row["ACTION"] == "s3:GetObject"]
    assert read == {
        "STACK": "Stack",
        "PIPELINE": "Training",
        "STEPS": "Process",
        "ACTION": "s3:GetObject",
        "RESOURCE": "arn:<AWS::Partition>:s3:::data/in*",
        "CONDITION": "-",
        "REASON": "the step reads its input",
    }


def test_a_condition_is_told(rows: Callable[..., Any]) -> None:
    (listing,) = [row for row in rows({"A": pipeline()}) if row["ACTION"] == "s3:ListBucket"]
    assert listing["CONDITION"] == "StringLike s3:prefix in*"


def test_the_region_of_the_stack_is_filled_in(rows: Callable[..., Any]) -> None:
    (create,) = [row for row in rows({"A": pipeline()}) if row["ACTION"] == "sagemaker:CreateProcessingJob"]
    assert create["RESOURCE"] == (
        "arn:<AWS::Partition>:sagemaker:eu-west-1:<AWS::AccountId>:processing-job/pipelines-*"
    )


def test_the_role_itself_is_named(rows: Callable[..., Any]) -> None:
    passed = {row["RESOURCE"] for row in rows({"A": pipeline()}) if row["ACTION"] == "iam:PassRole"}
    assert passed == {ROLE}


def test_a_definition_of_joined_lines_with_references_is_read(rows: Callable[..., Any]) -> None:
    lines: list[Any] = json.dumps({"Version": "2020-12-01", "Steps": [STEP]}, indent=2).split("\n")
    (place,) = [index for index, line in enumerate(lines) if "s3://data/in" in line]
    before, after = lines[place].split("data")
    lines[place] = {"Fn::Join": ["", [before, {"Ref": "Bucket"}, after]]}
    found = rows({"A": pipeline({"Fn::Join": ["\n", lines]}), "Bucket": {"Type": "AWS::S3::Bucket"}})
    assert "arn:<AWS::Partition>:s3:::<Bucket>/in*" in {row["RESOURCE"] for row in found}


def test_json_has_it_all(run: Callable[..., Any]) -> None:
    (found,) = json.loads(run({"A": pipeline()}, "--json").stdout)["pipelines"]
    (listing,) = [one for one in found.pop("permissions") if one["actions"] == ["s3:ListBucket"]]
    assert listing == {
        "actions": ["s3:ListBucket"],
        "resources": ["arn:<AWS::Partition>:s3:::data"],
        "conditions": {"StringLike": {"s3:prefix": ["in*"]}},
        "steps": ["Process"],
        "reason": "a prefix is listed to find what is in it",
    }
    assert found == {
        "stack": "Stack",
        "name": "Training",
        "logicalId": "A",
        "role": ROLE,
        "unknownPlaces": [],
        "problem": None,
    }


def test_a_step_whose_place_the_definition_does_not_say_is_named(run: Callable[..., Any]) -> None:
    late = json.dumps({"Steps": [STEP]}).replace('"s3://data/in"', '{"Get": "Parameters.Late"}')
    (found,) = json.loads(run({"A": pipeline(late)}, "--json").stdout)["pipelines"]
    assert found["unknownPlaces"] == ["Process"]


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        (
            pipeline(PipelineDefinition={"PipelineDefinitionS3Location": {"Bucket": "b", "Key": "k"}}),
            "its definition is not in the template but in S3",
        ),
        (pipeline("{"), "its definition is not JSON: "),
        (pipeline("[]"), "its definition is not a JSON object"),
    ],
)
def test_a_definition_that_cannot_be_read_is_named_and_the_others_printed(
    run: Callable[..., Any], resource: dict[str, Any], problem: str
) -> None:
    done = run({"Bad": resource, "Good": pipeline()})
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: Stack: pipeline Training: {problem}")
    assert "s3:GetObject" in done.stdout


def test_no_pipeline_is_no_error(run: Callable[..., Any]) -> None:
    done = run({"Bucket": {"Type": "AWS::S3::Bucket"}})
    assert done.exit_code == 0
    assert done.stderr.startswith("There is no SageMaker pipeline in ")


@pytest.mark.parametrize("code", range(4))
def test_the_help_names_each_exit_code(run_command: Callable[..., Any], code: int) -> None:
    _, text = " ".join(run_command("permissions", "--help").stdout.split()).split("Exit codes: ")
    assert f"{code}, " in text


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals to make here")
def test_a_terminal_gets_a_table(write_assembly: Callable[..., Path]) -> None:
    folder = write_assembly({"A": pipeline()})
    program = Path(sys.executable).parent / "scheduled-pipeline"
    ours, theirs = os.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "160"}
    try:
        arguments = [str(program), "permissions", "--assembly", str(folder)]
        subprocess.run(arguments, stdout=theirs, env=environment, check=True)
        text = os.read(ours, 100_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert "Steps and why" in text
    assert "the step reads its input" in text


def test_the_roles_of_the_app_have_what_is_derived(own_assembly: Path) -> None:
    """What the command derives from the templates is in the policies beside the pipelines."""
    done = CliRunner().invoke(app, ["permissions", "--assembly", str(own_assembly), "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)["pipelines"]
    assert len(found) == 4
    templates = [json.loads(path.read_text()) for path in own_assembly.rglob("*.template.json")]
    for one in found:
        (template,) = [t for t in templates if one["logicalId"] in t["Resources"] and one["name"] in str(t)]
        policies = [r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy"]
        granted = json.dumps([policy["Properties"]["PolicyDocument"] for policy in policies])
        derived = {action for permission in one["permissions"] for action in permission["actions"]}
        assert derived
        assert not {action for action in derived if f'"{action}"' not in granted}
