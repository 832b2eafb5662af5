"""A pipeline of ``@step`` functions, deployed by the real CDK CLI and then run from what is deployed."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from step_container import EXECUTION_ID, StepContainer

if TYPE_CHECKING:
    from local_aws.server import LocalAws

ACCOUNT = "444455558888"
REGION = "us-east-1"


@dataclass
class Deployed:
    """What was found in the account after the deployment, and what two steps then did."""

    aws: LocalAws
    container: StepContainer
    read: list[str]

    def role_may(self, action: str, bucket: str, key: str) -> bool:
        """What IAM says of the role that the steps run with."""
        role = self.container.arguments("Measure")["RoleArn"]
        answer = self.aws.client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[f"arn:aws:s3:::{bucket}/{key}"]
        )
        return [one["EvalDecision"] for one in answer["EvaluationResults"]] == ["allowed"]


@pytest.fixture(scope="module")
def deployed(
    local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory, feature_flags: dict[str, Any]
) -> Deployed:
    from local_aws.cdk_cli import CdkCli

    aws = replace(local_aws, account=ACCOUNT)
    folder, home = tmp_path_factory.mktemp("functions"), tmp_path_factory.mktemp("home")
    _synthesize(folder / "cdk.out", feature_flags)
    cli = CdkCli(aws=aws, folder=folder, home=home, app=str(folder / "cdk.out"))
    cli.bootstrap()
    cli.deploy()
    text = aws.client("sagemaker").describe_pipeline(PipelineName="Functions")["PipelineDefinition"]
    read: list[str] = []

    def files(uri: str) -> dict[str, bytes]:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]
        keys = [entry["Key"] for entry in found]
        read.extend(f"{bucket}/{key}" for key in keys)
        return {
            key.removeprefix(f"{prefix}/"): aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in keys
        }

    document = json.loads(text)
    bucket = _artifact_bucket(document)
    container = StepContainer(document, files, aws, tmp_path_factory.mktemp("opt-ml"), bucket)
    for step in ("Measure", "Report"):
        done = container.run(step)
        assert done.returncode == 0, done.stderr
    return Deployed(aws, container, read)


def _synthesize(folder: Path, context: dict[str, Any]) -> None:
    from aws_cdk import App, Environment, Stack

    from scheduled_pipeline import ScheduledPipeline

    app = App(outdir=str(folder), context=context, analytics_reporting=False)
    stack = Stack(app, "Functions", env=Environment(region=REGION))
    ScheduledPipeline(stack, "Chain", definition="function_pipelines:chain", pipeline_name="Functions")
    app.synth()


def _artifact_bucket(document: dict[str, Any]) -> str:
    (measure,) = (step for step in document["Steps"] if step["Name"] == "Measure")
    uri: str = measure["Arguments"]["OutputDataConfig"]["S3OutputPath"]["Std:Join"]["Values"][0]
    return uri.split("/")[2]


def test_the_functions_run_from_the_published_assets(deployed: Deployed) -> None:
    written = deployed.container.written()
    report = pickle.loads(written[f"Functions/Report/code/{EXECUTION_ID}/results/payload.pkl"])
    assert report["text"] == '{"mean": 3.0}'
    assert report["execution"] == EXECUTION_ID


def test_the_role_may_read_the_code_and_not_change_it(deployed: Deployed) -> None:
    assert len(deployed.read) == 2 * (5 + 4)
    for place in deployed.read:
        bucket, _, key = place.partition("/")
        assert deployed.role_may("s3:GetObject", bucket, key)
        assert not deployed.role_may("s3:PutObject", bucket, key)


def test_the_role_may_write_the_results_and_read_them_again(deployed: Deployed) -> None:
    bucket = deployed.container.bucket
    for key in deployed.container.written():
        assert deployed.role_may("s3:PutObject", bucket, key)
    assert deployed.role_may(
        "s3:GetObject", bucket, f"Functions/Measure/code/{EXECUTION_ID}/results/payload.pkl"
    )


def test_the_role_may_write_an_exception_and_nothing_else(deployed: Deployed) -> None:
    bucket = deployed.container.bucket
    assert deployed.role_may(
        "s3:PutObject", bucket, f"Functions/{EXECUTION_ID}/Measure/exception/payload.pkl"
    )
    assert not deployed.role_may("s3:PutObject", bucket, "raw/data.csv")
