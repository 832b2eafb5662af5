"""The execution role: what the derived permissions become, and what it may not do."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from assembly_warnings import warnings_of
from aws_cdk import Environment, Stack, Stage
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from permission_parts import a_step, document, get, reading, writing
from template_parts import NewStack

from scheduled_pipeline import PipelineDefinition, ScheduledPipeline
from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.resources.execution_role import (
    UNKNOWN_PERMISSIONS,
    UNKNOWN_PLACE,
    execution_policy,
    execution_role,
)
from scheduled_pipeline.resources.role_policy import IMMUTABLE_ROLE

ARTIFACTS = placeholders.ARTIFACT_BUCKET

# What the role may do on everything, because IAM scopes it by nothing else or not at all.
ON_EVERYTHING = {
    "ecr:GetAuthorizationToken": "a token is for the whole registry; what may be pulled is scoped",
    "cloudwatch:PutMetricData": "the condition cloudwatch:namespace scopes it",
}


def compiled(*steps: dict[str, Any], **others: Any) -> CompiledPipeline:
    definition = PipelineDefinition.from_json(document(*steps, **others)).compiled
    assert definition is not None
    return definition


def statements(stack: Stack) -> list[dict[str, Any]]:
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    return [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]


def allowed(stack: Stack, action: str) -> list[Any]:
    """The resources on which an action is allowed."""
    found = [one["Resource"] for one in statements(stack) if action in _listed(one["Action"])]
    return [resource for one in found for resource in _listed(one)]


def grant_run(role: iam.IRole, compiled: CompiledPipeline, stack: Stack, **others: Any) -> None:
    execution_policy(stack, "Policy", role=role, compiled=compiled, **others)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class TestPermissions:
    def test_get_partition_region_and_account_of_the_stack(self, new_stack: NewStack) -> None:
        stack = new_stack()
        grant_run(execution_role(stack, "Role"), compiled(a_step("Training")), stack)
        assert allowed(stack, "sagemaker:CreateTrainingJob") == [
            "arn:aws:sagemaker:eu-west-1:111122223333:training-job/pipelines-*"
        ]

    def test_of_the_placeholders_are_bound_to_what_is_deployed(self, new_stack: NewStack) -> None:
        stack = new_stack()
        role = execution_role(stack, "Role")
        function = f"arn:aws:lambda:eu-west-1:{placeholders.ACCOUNT}:function:f"
        steps = [
            reading(f"s3://{placeholders.value('Data')}/in", "A"),
            a_step("Lambda", name="B", FunctionArn=function),
            a_step("Training", {"RoleArn": placeholders.role("aws")}, "C"),
        ]
        bindings = {placeholders.value("Data"): "my-data"}
        grant_run(role, compiled(*steps), stack, bindings=bindings)
        assert allowed(stack, "s3:GetObject") == ["arn:aws:s3:::my-data/in*"]
        assert allowed(stack, "lambda:InvokeFunction") == ["arn:aws:lambda:eu-west-1:111122223333:function:f"]
        assert allowed(stack, "iam:PassRole") == [stack.resolve(role.role_arn)]

    def test_of_an_artifact_bucket_are_for_the_prefixes_that_are_used(self, new_stack: NewStack) -> None:
        stack = new_stack()
        steps = [reading(f"s3://{ARTIFACTS}/in", "A"), writing(f"s3://{ARTIFACTS}/out", "B")]
        bindings = {ARTIFACTS: "my-artifacts"}
        grant_run(execution_role(stack, "Role"), compiled(*steps), stack, bindings=bindings)
        assert allowed(stack, "s3:GetObject") == ["arn:aws:s3:::my-artifacts/in*"]
        assert allowed(stack, "s3:PutObject") == ["arn:aws:s3:::my-artifacts/out/*"]
        assert allowed(stack, "s3:DeleteObject") == []
        (listing,) = [one for one in statements(stack) if one["Action"] == "s3:ListBucket"]
        assert listing["Condition"] == {"StringLike": {"s3:prefix": "in*"}}

    def test_of_the_uploads_are_left_to_who_uploads_them(self, new_stack: NewStack) -> None:
        stack = new_stack()
        steps = [reading(f"s3://{placeholders.ASSET_BUCKET}/{'0' * 64}/step.py")]
        grant_run(execution_role(stack, "Role"), compiled(*steps), stack)
        assert allowed(stack, "s3:GetObject") == []

    def test_on_one_bucket_list_its_prefixes_in_one_statement(self, new_stack: NewStack) -> None:
        stack = new_stack()
        steps = [reading("s3://bucket/a", "A"), reading("s3://bucket/b", "B")]
        grant_run(execution_role(stack, "Role"), compiled(*steps), stack)
        (listing,) = [one for one in statements(stack) if one["Action"] == "s3:ListBucket"]
        assert listing["Condition"] == {"StringLike": {"s3:prefix": ["a*", "b*"]}}

    def test_are_never_joined_across_conditions(self, new_stack: NewStack) -> None:
        stack = new_stack()
        steps = [reading("s3://one/a", "A"), reading("s3://two/b", "B")]
        grant_run(execution_role(stack, "Role"), compiled(*steps), stack)
        listings = [one for one in statements(stack) if one["Action"] == "s3:ListBucket"]
        assert [(one["Resource"], one["Condition"]["StringLike"]["s3:prefix"]) for one in listings] == [
            ("arn:aws:s3:::one", "a*"),
            ("arn:aws:s3:::two", "b*"),
        ]


class TestDataBuckets:
    @pytest.mark.parametrize(
        ("step", "written"),
        [(reading(get("Parameters.Late")), False), (writing(get("Parameters.Late")), True)],
    )
    def test_are_read_and_written_only_where_an_output_may_point_to_them(
        self, new_stack: NewStack, step: dict[str, Any], written: bool
    ) -> None:
        stack = new_stack()
        bucket = s3.Bucket.from_bucket_name(stack, "Data", "my-data")
        grant_run(execution_role(stack, "Role"), compiled(step), stack, data_buckets=[bucket])
        assert allowed(stack, "s3:GetObject") == ["arn:aws:s3:::my-data/*"]
        assert allowed(stack, "s3:ListBucket") == ["arn:aws:s3:::my-data"]
        assert allowed(stack, "s3:PutObject") == (["arn:aws:s3:::my-data/*"] if written else [])

    def test_with_a_key_let_the_role_use_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        bucket = s3.Bucket(
            stack, "Data", encryption=s3.BucketEncryption.KMS, encryption_key=kms.Key(stack, "Key")
        )
        grant_run(execution_role(stack, "Role"), compiled(a_step("Training")), stack, data_buckets=[bucket])
        (use,) = [one for one in statements(stack) if "kms:Decrypt" in one["Action"]]
        assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]

    def test_that_are_missing_are_warned_of(self, new_stack: NewStack) -> None:
        stack = new_stack()
        late = compiled(reading(get("Parameters.Late"), "A"), reading("s3://bucket/b", "B"))
        grant_run(execution_role(stack, "Role"), late, stack)
        (warning,) = _warnings(stack, UNKNOWN_PLACE)
        assert "'A' will read or write" in warning
        assert "'B'" not in warning

    def test_that_are_named_are_no_reason_to_warn(self, new_stack: NewStack) -> None:
        stack = new_stack()
        bucket = s3.Bucket.from_bucket_name(stack, "Data", "my-data")
        late = compiled(reading(get("Parameters.Late")))
        grant_run(execution_role(stack, "Role"), late, stack, data_buckets=[bucket])
        assert not _warnings(stack, UNKNOWN_PLACE)


class TestAStepOfWhichNobodyKnowsWhatItNeeds:
    def test_is_warned_of_with_its_construct_and_what_to_do(self, new_stack: NewStack) -> None:
        stack = new_stack()
        bedrock = PipelineDefinition.from_json(document(a_step("BedrockModelImport", name="Import")))
        ScheduledPipeline(stack, "Tuned", definition=bedrock)
        (warning,) = _warnings(stack, UNKNOWN_PERMISSIONS)
        assert (
            "Stack/Tuned: nobody can tell what the step 'Import' of type 'BedrockModelImport' needs"
            in warning
        )
        assert "AWS does not document what a step of this type does" in warning
        assert "grant the rest to execution_role" in warning
        assert f"[ack: {UNKNOWN_PERMISSIONS}:Import]" in warning

    def test_is_warned_of_where_its_type_has_no_row(self, new_stack: NewStack) -> None:
        stack = new_stack()
        new = PipelineDefinition.from_json(document(a_step("Nonsense"), a_step("Nonsense", name="Second")))
        ScheduledPipeline(stack, "New", definition=new, suppress_findings=["unknown-step-type"])
        first, second = _warnings(stack, UNKNOWN_PERMISSIONS)
        assert "'Step' of type 'Nonsense' needs: this version does not know the type" in first
        assert "'Second'" in second

    def test_is_none_of_those_that_need_nothing(self, new_stack: NewStack) -> None:
        stack = new_stack()
        inside = [a_step("Fail", name="Stop"), a_step("Training", name="Train")]
        grant_run(
            execution_role(stack, "Role"), compiled(a_step("Condition", {"IfSteps": inside}, "If")), stack
        )
        assert not _warnings(stack, UNKNOWN_PERMISSIONS)

    def test_is_found_inside_a_condition(self, new_stack: NewStack) -> None:
        stack = new_stack()
        inside = {"IfSteps": [a_step("Athena", name="Query")]}
        grant_run(execution_role(stack, "Role"), compiled(a_step("Condition", inside, "If")), stack)
        (warning,) = _warnings(stack, UNKNOWN_PERMISSIONS)
        assert "'Query'" in warning


class TestAPolicyThatIsTooLarge:
    STEPS = tuple(reading(f"s3://bucket-{number}/some/folder", f"Step{number}") for number in range(200))

    def test_is_refused_before_iam_refuses_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        with pytest.raises(ValueError, match=r"Stack/Policy: the policy has at least .*IAM allows 10,240"):
            grant_run(execution_role(stack, "Role"), compiled(*self.STEPS), stack)

    def test_is_only_shown_where_the_role_takes_none(self, new_stack: NewStack) -> None:
        stack = new_stack()
        s3.Bucket(stack, "Bucket")  # a stack has to have some resource
        role = iam.Role.from_role_arn(stack, "Role", TestARoleThatIsBroughtIn.ARN, mutable=False)
        grant_run(role, compiled(*self.STEPS), stack)
        assert len(_warnings(stack, IMMUTABLE_ROLE)) == 1


class TestARoleThatIsBroughtIn:
    ARN = "arn:aws:iam::111122223333:role/execution"

    def test_gets_the_permissions(self, new_stack: NewStack) -> None:
        stack = new_stack()
        grant_run(iam.Role.from_role_arn(stack, "Role", self.ARN), compiled(a_step("Training")), stack)
        assert allowed(stack, "sagemaker:CreateTrainingJob")
        assert not _warnings(stack, IMMUTABLE_ROLE)

    @pytest.mark.parametrize(
        ("arn", "mutable"), [(ARN, False), ("arn:aws:iam::444455556666:role/execution", True)]
    )
    def test_that_takes_none_is_warned_of(self, new_stack: NewStack, arn: str, mutable: bool) -> None:
        stack = new_stack()
        s3.Bucket(stack, "Bucket")  # a stack has to have some resource
        role = iam.Role.from_role_arn(stack, "Role", arn, mutable=mutable)
        grant_run(role, compiled(a_step("Training")), stack)
        (warning,) = _warnings(stack, IMMUTABLE_ROLE)
        assert "Stack/Role takes no permissions" in warning
        assert "sagemaker:CreateTrainingJob" in warning

    def test_of_another_stack_gets_them_from_the_stack_of_the_pipeline(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        theirs = new_stack("Theirs")
        role = iam.Role(theirs, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        ours = Stack(Stage.of(theirs), "Ours", env=Environment(account=theirs.account, region=theirs.region))
        definition = copy.deepcopy(small_definition)
        definition["Steps"][0]["Arguments"]["ProcessingInputs"] = [
            {
                "InputName": "in",
                "S3Input": {
                    "S3Uri": f"s3://{ARTIFACTS}/in",
                    "LocalPath": "/opt/ml/processing/in",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ]
        # The bucket is ours: a policy in their stack would need our stack, which needs their role.
        ScheduledPipeline(
            ours, "Training", definition=PipelineDefinition.from_json(definition), execution_role=role
        )
        assert not Template.from_stack(theirs).find_resources("AWS::IAM::Policy")
        assert allowed(ours, "s3:GetObject")

    def test_is_ready_before_the_pipeline_is_made(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition=PipelineDefinition.from_json(small_definition))
        template = Template.from_stack(stack)
        (pipeline,) = template.find_resources("AWS::SageMaker::Pipeline").values()
        assert pipeline["DependsOn"] == [*template.find_resources("AWS::IAM::Policy")]


def _warnings(stack: Stack, warning_id: str) -> list[str]:
    return [text for text in warnings_of(stack) if warning_id in text]


@pytest.fixture(scope="module")
def abalone(new_stack: NewStack) -> list[dict[str, Any]]:
    """The statements of the role of the abalone pipeline."""
    stack = new_stack()
    ScheduledPipeline(stack, "Abalone", definition="pipeline_defs.abalone.pipeline:build")
    return statements(stack)


class TestTheRoleOfTheAbalonePipeline:
    def test_has_no_action_with_a_wildcard(self, abalone: list[dict[str, Any]]) -> None:
        assert not [action for one in abalone for action in _listed(one["Action"]) if "*" in action]

    def test_reaches_everything_only_with_what_iam_cannot_scope(self, abalone: list[dict[str, Any]]) -> None:
        everywhere = [one for one in abalone if "*" in _listed(one["Resource"])]
        actions = {action for one in everywhere for action in _listed(one["Action"])}
        assert actions == ON_EVERYTHING.keys()

    def test_reaches_no_whole_service(self, abalone: list[dict[str, Any]]) -> None:
        texts = [
            resource for one in abalone for resource in _listed(one["Resource"]) if isinstance(resource, str)
        ]
        whole = {text for text in texts if re.search(r":[a-z-]+/\*$", text)}
        # A trial is named by the execution; CreateTrial is bound to the one experiment as well.
        assert whole == {"arn:aws:sagemaker:eu-west-1:111122223333:experiment-trial/*"}

    def test_may_delete_nothing(self, abalone: list[dict[str, Any]]) -> None:
        actions = {action for one in abalone for action in _listed(one["Action"])}
        assert not [action for action in actions if ":Delete" in action]

    def test_grants_sagemaker_and_nobody_else(self, abalone: list[dict[str, Any]]) -> None:
        (passing,) = [one for one in abalone if "iam:PassRole" in _listed(one["Action"])]
        assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert "Fn::GetAtt" in passing["Resource"]
