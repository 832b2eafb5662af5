"""A script that is changed between two deployments, by the real CDK CLI."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fault_matrix import Row

if TYPE_CHECKING:
    from local_aws.cdk_cli import CdkCli

_DEFINITION = """
from pathlib import Path
from sagemaker.core.processing import ScriptProcessor
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

def build(context):
    processor = ScriptProcessor(
        image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/image:1", command=["python3"],
        role=context.role, instance_type="ml.m5.large", instance_count=1, sagemaker_session=context.session,
    )
    script = str(Path(__file__).parent / "step.py")
    return Pipeline(
        name=context.pipeline_name,
        steps=[ProcessingStep(name="Work", step_args=processor.run(code=script))],
        sagemaker_session=context.session,
    )
"""
Write = Callable[[str], "CdkCli"]


@pytest.fixture(scope="module")
def write(cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Write]:
    """Write the script, synthesize a project that runs it, and return the CLI for what came of it."""
    from lifecycle_app import Plan, synthesize

    folder = tmp_path_factory.mktemp("project")
    (folder / "changing_code.py").write_text(_DEFINITION, encoding="utf-8")
    plan = Plan(definition="changing_code:build", schedules={}, pipeline_name="Code", stack="Code")
    context = {**cloud._context, "scheduled-pipeline:cache": "false"}
    made: list[CdkCli] = []

    def write(text: str) -> CdkCli:
        (folder / "step.py").write_text(text, encoding="utf-8")
        outdir = tmp_path_factory.mktemp("cdk.out")
        synthesize(plan, outdir, context)
        made.append(replace(cloud.cli, app=str(outdir)))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield write
        if "Code" in cloud.aws.inventory().stacks:
            made[-1].destroy()


def _uri(cloud: Any) -> str:
    text = cloud.aws.client("sagemaker").describe_pipeline(PipelineName="Code")["PipelineDefinition"]
    (code,) = json.loads(text)["Steps"][0]["Arguments"]["ProcessingInputs"]
    return str(code["S3Input"]["S3Uri"])


def _may_read(cloud: Any, uri: str) -> bool:
    pipeline = cloud.aws.client("sagemaker").describe_pipeline(PipelineName="Code")
    answer = cloud.aws.client("iam").simulate_principal_policy(
        PolicySourceArn=pipeline["RoleArn"],
        ActionNames=["s3:GetObject"],
        ResourceArns=[f"arn:aws:s3:::{uri.removeprefix('s3://')}"],
    )
    return [one["EvalDecision"] for one in answer["EvaluationResults"]] == ["allowed"]


def test_a_changed_script_is_one_line_of_diff_and_nothing_of_iam(cloud: Any, write: Write, row: Row) -> None:
    write("print(1)").deploy()
    before = _uri(cloud)
    changed = write("print(2)")
    shown = changed.diff().stdout
    changes = [line.strip() for line in shown.splitlines() if line.strip().startswith(("[-] ", "[+] "))]
    assert [change[:3] for change in changes] == ["[-]", "[+]"], shown
    assert "IAM" not in shown
    # Without a terminal this ends with an error where somebody is to be asked.
    changed.run("deploy", "**", "--require-approval", "broadening")
    assert _uri(cloud) != before
    assert _may_read(cloud, _uri(cloud))
    assert _may_read(cloud, before), "an execution that is running reads the script that it was started with"
    assert (
        cloud.aws.client("s3")
        .get_object(Bucket=before.split("/")[2], Key=before.split("/", 3)[3])["Body"]
        .read()
        == b"print(1)"
    )
    changed.destroy()
    row.settle()
