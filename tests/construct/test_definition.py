"""The definition in the template, and what is bound to it at the deployment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, DefaultStackSynthesizer, Environment, Stack
from aws_cdk.assertions import Annotations, Match, Template
from template_parts import (
    NIGHTLY,
    NewStack,
    pipeline_body,
    policy_statements,
    text_of,
)

from scheduled_pipeline import PipelineDefinition, ScheduledPipeline

REGION = "eu-west-1"


class TestTheDefinition:
    def test_is_one_template_element_a_line(
        self, minimal: Template, small_definition: dict[str, Any]
    ) -> None:
        separator, lines = pipeline_body(minimal)["Fn::Join"]
        assert separator == "\n"
        assert lines == json.dumps(small_definition, indent=2).split("\n")

    def test_that_changes_in_one_value_changes_one_element(
        self, new_stack: NewStack, small_definition: dict[str, Any], minimal: Template
    ) -> None:
        changed = json.loads(json.dumps(small_definition).replace("ml.m5.large", "ml.m5.xlarge"))
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition=PipelineDefinition.from_json(changed))
        before, after = (pipeline_body(t)["Fn::Join"][1] for t in (minimal, Template.from_stack(stack)))
        assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
            ('            "InstanceType": "ml.m5.large",', '            "InstanceType": "ml.m5.xlarge",')
        ]

    def test_of_a_function_is_bound_to_role_account_and_values(self, new_stack: NewStack) -> None:
        stack = new_stack(account=None)
        parameter = CfnParameter(stack, "DataBucketName")
        training = ScheduledPipeline(
            stack,
            "Training",
            definition="sample_pipelines:with_values",
            values={"DataBucket": parameter.value_as_string, "Prefix": "a", "Count": 2},
        )
        template = Template.from_stack(stack)
        text = text_of(pipeline_body(template))
        role = stack.get_logical_id(training.execution_role.node.default_child)  # type: ignore[arg-type]
        assert f'"RoleArn": "<{role}.Arn>"' in text
        assert "s3://<DataBucketName>/a/in.csv" in text
        assert "placeholder" not in text

    def test_knows_its_account_late(self, new_stack: NewStack) -> None:
        stack = new_stack(account=None)
        ScheduledPipeline(stack, "Training", definition="sample_pipelines:everything_of_the_context")
        assert '"DefaultValue": "<AWS::AccountId> eu-west-1 aws ' in text_of(
            pipeline_body(Template.from_stack(stack))
        )

    def test_has_its_code_in_the_assembly_under_its_own_name(self, new_stack: NewStack) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:source_folder")
        template = Template.from_stack(stack)
        folder = Path(stack.node.root.outdir)  # type: ignore[attr-defined]
        manifest = json.loads((folder / "Stack.assets.json").read_text(encoding="utf-8"))
        keys = set()
        for file in manifest["files"].values():
            assert not Path(file["source"]["path"]).is_absolute()
            assert (folder / file["source"]["path"]).exists()
            keys |= {destination["objectKey"] for destination in file["destinations"].values()}
        code = training.definition.uploads[0]
        code_folder = f"scheduled-pipeline/{training.pipeline.declared_name}/{code.digest}/code"
        assert {f"{code_folder}/step.py", f"{code_folder}/library/answers.py"} <= keys
        assert f"s3://cdk-hnb659fds-assets-111122223333-eu-west-1/{code_folder}" in text_of(
            pipeline_body(template)
        )

    def test_names_every_file_of_a_folder_so_that_none_is_collected(self, new_stack: NewStack) -> None:
        """``cdk gc`` keeps what a template mentions."""
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:source_folder")
        text = json.dumps(Template.from_stack(stack).to_json())
        for upload in training.definition.uploads:
            for file in upload.files:
                assert f"{upload.digest}/{upload.name}/{file.relative_path}" in text

    def test_lets_the_execution_role_read_its_code_and_list_nothing_else(self, new_stack: NewStack) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:script")
        (upload,) = training.definition.uploads
        statements = policy_statements(Template.from_stack(stack), "ExecutionPolicy")
        bucket = "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1"
        assert {
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Resource": f"{bucket}/scheduled-pipeline/{training.pipeline.declared_name}/*",
        } in statements
        assert {
            "Action": "s3:ListBucket",
            "Effect": "Allow",
            "Resource": bucket,
            "Condition": {
                "StringLike": {"s3:prefix": [f"scheduled-pipeline/{training.pipeline.declared_name}/*"]}
            },
        } in statements
        assert upload.digest not in json.dumps(statements)

    @pytest.mark.parametrize("function", ["script", "packed_folder"])
    def test_may_be_read_where_it_was_before_as_long_as_executions_of_then_run(
        self, feature_flags: dict[str, Any], function: str
    ) -> None:
        app = App(context={**feature_flags, "scheduled-pipeline:former-code-keys": "true"})
        stack = Stack(app, "Stack", env=Environment(account="111122223333", region=REGION))
        training = ScheduledPipeline(stack, "Training", definition=f"sample_pipelines:{function}")
        former = {
            hashlib.sha256(
                "\n".join(f"{file.relative_path}\t{file.sha256}" for file in upload.files).encode()
            ).hexdigest()
            for upload in training.definition.uploads
        }
        (read,) = [
            statement
            for statement in policy_statements(Template.from_stack(stack), "ExecutionPolicy")
            if statement["Action"] == "s3:GetObject" and "assets" in str(statement["Resource"])
        ]
        assert set(read["Resource"]) == {
            f"arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1/{folder}/*"
            for folder in (f"scheduled-pipeline/{training.pipeline.declared_name}", *former)
        }


class TestExperiments:
    def _body(self, new_stack: NewStack, definition: dict[str, Any], **options: Any) -> Any:
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition=PipelineDefinition.from_json(definition), **options)
        template = Template.from_stack(stack)
        actions = {
            action
            for statement in policy_statements(template, "ExecutionPolicy")
            for action in [statement["Action"]] * isinstance(statement["Action"], str) or statement["Action"]
        }
        return json.loads(text_of(pipeline_body(template))), "sagemaker:CreateExperiment" in actions

    @pytest.fixture
    def tracked(self, small_definition: dict[str, Any]) -> dict[str, Any]:
        config = {
            "ExperimentName": {"Get": "Execution.PipelineName"},
            "TrialName": {"Get": "Execution.PipelineExecutionId"},
        }
        return {**small_definition, "PipelineExperimentConfig": config}

    def test_are_made_as_the_definition_says(self, new_stack: NewStack, tracked: dict[str, Any]) -> None:
        assert self._body(new_stack, tracked) == (tracked, True)

    def test_are_not_made_where_nobody_wants_them(self, new_stack: NewStack, tracked: dict[str, Any]) -> None:
        without = {**tracked, "PipelineExperimentConfig": None}
        assert self._body(new_stack, tracked, experiment_tracking=False) == (without, False)

    def test_that_a_step_refers_to_cannot_be_left_out(
        self, new_stack: NewStack, tracked: dict[str, Any]
    ) -> None:
        (step, *rest) = tracked["Steps"]
        name = {"Get": "PipelineExperimentConfig.ExperimentName"}
        step = {**step, "Arguments": {**step["Arguments"], "Environment": {"EXPERIMENT": name}}}
        tracked = {**tracked, "Steps": [step, *rest]}
        self._body(new_stack, tracked)
        with pytest.raises(ValueError, match=r"PipelineExperimentConfig\.ExperimentName"):
            self._body(new_stack, tracked, experiment_tracking=False)


class TestSynthesizers:
    def test_made_in_python_put_code_where_they_say(self, feature_flags: dict[str, Any]) -> None:
        app = App(context=feature_flags)
        stack = Stack(
            app,
            "Stack",
            env=Environment(account="111122223333", region=REGION),
            synthesizer=DefaultStackSynthesizer(qualifier="mine", bucket_prefix="pre-"),
        )
        for construct_id in ("One", "Two"):
            ScheduledPipeline(stack, construct_id, definition="sample_pipelines:script")
        assembly = Path(app.synth().directory)
        manifest = json.loads((assembly / "Stack.assets.json").read_text(encoding="utf-8"))
        keys = [
            destination["objectKey"]
            for file in manifest["files"].values()
            for destination in file["destinations"].values()
        ]
        keys = [key for key in keys if key.endswith("/step.py")]
        template = (assembly / "Stack.template.json").read_text(encoding="utf-8")
        assert len(keys) == 2
        for key in keys:
            assert key.startswith("pre-scheduled-pipeline/Stack-")
            assert f"s3://cdk-mine-assets-111122223333-eu-west-1/{key}" in template

    def test_of_two_stacks_are_refused(self, feature_flags: dict[str, Any]) -> None:
        app = App(context=feature_flags)
        shared = DefaultStackSynthesizer()
        env = Environment(account="111122223333", region=REGION)
        one, other = (Stack(app, name, env=env, synthesizer=shared) for name in ("One", "Other"))
        ScheduledPipeline(one, "Training", definition="sample_pipelines:script")
        with pytest.raises(ValueError, match="Other: its synthesizer is that of another stack"):
            ScheduledPipeline(other, "Training", definition="sample_pipelines:script")


class TestValues:
    def test_with_quotes_and_lines_stay_inside_their_string(self, new_stack: NewStack) -> None:
        stack = new_stack()
        late = CfnParameter(stack, "Late").value_as_string
        values: dict[str, str | int] = {"DataBucket": "b", "Prefix": 'say "' + late + '"\n\\d', "Count": 1}
        ScheduledPipeline(stack, "Training", definition="sample_pipelines:with_values", values=values)
        text = text_of(pipeline_body(Template.from_stack(stack)))
        found = json.loads(text)["Steps"][0]["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"]
        assert found == 's3://b/say "<Late>"\n\\d/in.csv'

    def test_that_nobody_asks_for_are_warned_of(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition="sample_pipelines:script", values={"DataBuckte": "b"})
        Annotations.from_stack(stack).has_warning(
            "*", Match.string_like_regexp(r"values\['DataBuckte'\] is never asked for by the build function")
        )

    def test_of_the_context_that_are_changed_are_refused(self, new_stack: NewStack) -> None:
        with pytest.raises(
            ValueError, match="Stack/Training: the build function changed what the context gave it"
        ):
            ScheduledPipeline(new_stack(), "Training", definition="sample_pipelines:changes_its_context")


def test_the_name_of_an_sdk_object_is_kept(new_stack: NewStack, small_definition: dict[str, Any]) -> None:
    source = PipelineDefinition.from_json(small_definition)
    assert source.compiled is not None
    of_the_sdk = PipelineDefinition(compiled=replace(source.compiled, pipeline_name="Mine"))
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=of_the_sdk)
    Template.from_stack(stack).has_resource_properties("AWS::SageMaker::Pipeline", {"PipelineName": "Mine"})


def test_a_definition_made_elsewhere_needs_no_region(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    stack = new_stack(account=None, region=None)
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Nightly": NIGHTLY})
    Template.from_stack(stack).resource_count_is("AWS::Scheduler::Schedule", 1)
