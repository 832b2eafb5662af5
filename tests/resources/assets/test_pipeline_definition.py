"""Where the definition of a pipeline is, by its size, and that it arrives as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from assembly_warnings import warnings_of
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from scheduled_pipeline import PipelineDefinition, ScheduledPipeline
from scheduled_pipeline.resources.assets.pipeline_definition import METADATA, DefinitionLimits
from scheduled_pipeline.resources.scheduling import OwnScheduling

if TYPE_CHECKING:
    from local_aws.cdk_cli import CdkCli
    from local_aws.server import LocalAws

ACCOUNT = "666677778888"
REGION = "us-east-1"
Large = Callable[[int], dict[str, Any]]


@pytest.fixture(scope="module")
def large(small_definition: dict[str, Any]) -> Large:
    """A definition of about so many characters without its white space, made of steps."""

    def make(characters: int) -> dict[str, Any]:
        (step,) = small_definition["Steps"]
        application = {**step["Arguments"]["AppSpecification"], "ContainerArguments": [f'"{"x" * 240}"'] * 80}
        arguments = {**step["Arguments"], "AppSpecification": application}
        steps = [
            {**step, "Name": f"Process{number}", "Arguments": arguments}
            for number in range(characters // 20_000)
        ]
        return {**small_definition, "Steps": steps}

    return make


def _pipeline(stack: Stack, definition: Mapping[str, Any], **settings: Any) -> ScheduledPipeline:
    return ScheduledPipeline(
        stack, "Training", definition=PipelineDefinition.from_json(definition), **settings
    )


def _resource(stack: Stack) -> dict[str, Any]:
    (resource,) = Template.from_stack(stack).find_resources("AWS::SageMaker::Pipeline").values()
    return dict(resource)


class TestPlace:
    def test_a_usual_definition_is_in_lines(self, new_stack: Callable[..., Stack], large: Large) -> None:
        stack = new_stack()
        _pipeline(stack, large(200_000))
        resource = _resource(stack)
        body = resource["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]
        assert body["Fn::Join"][0] == "\n"
        assert json.loads("\n".join(body["Fn::Join"][1])) == large(200_000)
        assert METADATA not in resource.get("Metadata", {})

    def test_a_large_one_is_one_text_without_white_space(
        self, new_stack: Callable[..., Stack], large: Large
    ) -> None:
        stack = new_stack()
        _pipeline(stack, large(400_000))
        resource = _resource(stack)
        body = resource["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]
        assert body == json.dumps(large(400_000), separators=(",", ":"))
        assert resource["Metadata"][METADATA] == {"as": "compact", "characters": len(body)}

    def test_a_very_large_one_without_tokens_is_a_file_asset(
        self, new_stack: Callable[..., Stack], large: Large
    ) -> None:
        stack = new_stack()
        _pipeline(stack, large(700_000))
        resource = _resource(stack)
        location = resource["Properties"]["PipelineDefinition"]["PipelineDefinitionS3Location"]
        assert location["Bucket"] == "cdk-hnb659fds-assets-111122223333-eu-west-1"
        shown = resource["Metadata"][METADATA]
        app = stack.node.root
        assert isinstance(app, App)
        file = Path(app.synth().directory) / shown["path"]
        assert location["Key"] == file.name.removeprefix("asset.")
        assert json.loads(file.read_text(encoding="utf-8")) == large(700_000)
        assert shown["as"] == "s3"
        assert not Template.from_stack(stack).find_resources("AWS::Lambda::Function")

    def test_one_more_character_is_another_key(self, new_stack: Callable[..., Stack], large: Large) -> None:
        keys = set()
        for definition in (large(700_000), {**large(700_000), "Metadata": {"More": "x"}}):
            stack = new_stack()
            _pipeline(stack, definition)
            keys.add(
                _resource(stack)["Properties"]["PipelineDefinition"]["PipelineDefinitionS3Location"]["Key"]
            )
        assert len(keys) == 2

    def test_one_with_tokens_is_written_at_deployment(
        self, new_stack: Callable[..., Stack], large: Large
    ) -> None:
        stack = new_stack(account=None)
        source = PipelineDefinition.from_json(_with_placeholders(large(700_000)))
        ScheduledPipeline(stack, "Training", definition=source)
        location = _resource(stack)["Properties"]["PipelineDefinition"]["PipelineDefinitionS3Location"]
        template = Template.from_stack(stack)
        ((written, custom),) = template.find_resources("Custom::SageMakerPipelineDefinition").items()
        assert location["Key"] == {"Fn::GetAtt": [written, "Key"]}
        assert custom["Properties"]["Bucket"] == location["Bucket"]
        assert next(iter(custom["Properties"]["Substitutions"].values()))["Fn::GetAtt"][1] == "Arn"
        (told,) = warnings_of(stack, kind="info")
        assert told.startswith(
            "cdk deploy --express runs no custom resources: the definition, which is too large"
        )

    def test_names_the_code_that_the_template_does_not(
        self, new_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``cdk gc`` keeps what a template mentions."""
        monkeypatch.setattr(OwnScheduling, "definition_limits", DefinitionLimits(lines=0, compact=0))
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:script")
        (upload,) = training.definition.uploads
        text = json.dumps(Template.from_stack(stack).to_json())
        assert f"{upload.digest}/{upload.name}" in text

    def test_the_writer_may_do_no_more_than_it_does(
        self, new_stack: Callable[..., Stack], large: Large
    ) -> None:
        stack = new_stack(account=None)
        ScheduledPipeline(
            stack, "Training", definition=PipelineDefinition.from_json(_with_placeholders(large(700_000)))
        )
        roles = Template.from_stack(stack).find_resources(
            "AWS::IAM::Role",
            {"Properties": {"Description": "Writes definitions of SageMaker pipelines to S3"}},
        )
        (role,) = roles
        statements = [
            statement
            for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
        assert sorted(str(statement["Action"]) for statement in statements) == [
            "['logs:CreateLogStream', 'logs:PutLogEvents']",
            "['s3:DeleteObject', 's3:PutObject']",
            "s3:GetObject",
        ]
        assert "*" not in {str(statement["Resource"]) for statement in statements}

    def test_two_of_a_stack_share_the_writer(self, new_stack: Callable[..., Stack], large: Large) -> None:
        stack = new_stack()
        for name in ("One", "Two"):
            source = PipelineDefinition.from_json(_with_placeholders(large(700_000)))
            ScheduledPipeline(stack, name, definition=source)
        template = Template.from_stack(stack)
        template.resource_count_is("AWS::Lambda::Function", 1)
        template.resource_count_is("Custom::SageMakerPipelineDefinition", 2)


def _with_placeholders(definition: dict[str, Any]) -> dict[str, Any]:
    """As a build function would write it: with the role that the construct makes."""
    from scheduled_pipeline.definition import placeholders

    text = json.dumps(definition).replace("arn:aws:iam::111122223333:role/given", placeholders.role("aws"))
    document: dict[str, Any] = json.loads(text)
    return document


class TestDeployed:
    """On the local AWS, with the function that AWS Lambda would run."""

    @pytest.fixture(scope="class")
    @classmethod
    def cdk(cls, local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> CdkCli:
        from local_aws.cdk_cli import CdkCli

        folder, home = tmp_path_factory.mktemp("large"), tmp_path_factory.mktemp("home")
        aws = replace(local_aws, account=ACCOUNT)
        cli = CdkCli(aws=aws, folder=folder, home=home, app=str(folder / "cdk.out"), region=REGION)
        cli.bootstrap()
        return cli

    @pytest.fixture(scope="class")
    @classmethod
    def deploy(cls, cdk: CdkCli, feature_flags: dict[str, Any]) -> Callable[[dict[str, Any]], str]:
        def deploy(definition: dict[str, Any]) -> str:
            app = App(context=feature_flags, outdir=str(cdk.folder / "cdk.out"), analytics_reporting=False)
            stack = Stack(app, "Large", env=Environment(account=ACCOUNT, region=REGION))
            source = PipelineDefinition.from_json(definition)
            ScheduledPipeline(stack, "Training", definition=source, pipeline_name="Large")
            app.synth()
            return cdk.deploy()

        return deploy

    def test_it_arrives_with_its_tokens_resolved(
        self, cdk: CdkCli, deploy: Callable[[dict[str, Any]], str], large: Large
    ) -> None:
        deploy(_with_placeholders(large(700_000)))
        described = cdk.aws.client("sagemaker", account=ACCOUNT, region=REGION).describe_pipeline(
            PipelineName="Large"
        )
        expected = json.dumps(large(700_000)).replace(
            "arn:aws:iam::111122223333:role/given", described["RoleArn"]
        )
        assert json.loads(described["PipelineDefinition"]) == json.loads(expected)

    def test_a_second_deploy_changes_nothing(
        self, deploy: Callable[[dict[str, Any]], str], large: Large
    ) -> None:
        assert "(no changes)" in deploy(_with_placeholders(large(700_000)))

    def test_a_change_is_noticed_and_leaves_one_object(
        self, cdk: CdkCli, deploy: Callable[[dict[str, Any]], str], large: Large
    ) -> None:
        changed = json.loads(json.dumps(large(700_000)).replace("ml.m5.large", "ml.m5.xlarge"))
        deploy(_with_placeholders(changed))
        sagemaker = cdk.aws.client("sagemaker", account=ACCOUNT, region=REGION)
        assert "ml.m5.xlarge" in sagemaker.describe_pipeline(PipelineName="Large")["PipelineDefinition"]
        s3 = cdk.aws.client("s3", account=ACCOUNT, region=REGION)
        (bucket,) = (
            name
            for name in cdk.aws.inventory(account=ACCOUNT, region=REGION).buckets
            if not name.startswith("cdk-")
        )
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1

    def test_destroy_leaves_nothing(self, cdk: CdkCli) -> None:
        cdk.destroy()
        left = cdk.aws.inventory(account=ACCOUNT, region=REGION)
        assert left.stacks == ("CDKToolkit",)
        assert left.pipelines == ()
        assert all(name.startswith("cdk-") for name in (*left.buckets, *left.roles))
