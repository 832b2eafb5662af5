"""The deployer's policies: they cover every type in our templates, are least, and are those in the docs."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template
from template_parts import NewStack

from scheduled_pipeline import DeployerPolicy

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = sorted((ROOT / "tests" / "stacks" / "__snapshots__" / "test_app").glob("*.json"))

# IAM allows so many characters in a managed policy, not counting white space.
MAX_CHARACTERS = 6_144
# Types beyond those of this app that the construct makes.
ALSO_MADE = (
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
)
# What has no handler to ask: the CLI's own record, which AWS takes without permissions, and a custom
# resource, for which CloudFormation invokes a function.
WITHOUT_HANDLERS = {"AWS::CDK::Metadata", "Custom::S3AutoDeleteObjects"}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

NOT_USED = {
    "AWS::IAM::Policy": {
        r"iam:.*(User|Group)Policy": "policies are attached to roles only",
    },
    "AWS::IAM::Role": {
        r"iam:(Put|Delete)RolePermissionsBoundary": "the construct sets no boundary",
    },
    "AWS::S3::Bucket": {
        r"iam:PassRole": "no bucket is replicated",
        r"s3tables:.*|s3:\w+BucketMetadata\w+": "no bucket has metadata tables",
        r"s3:(Put|Delete)\w*(Analytics|CORS|Cors|Inventory|Metrics|Replication)\w*": "not used",
        r"s3:(Put|Delete)\w*(Website|Accelerate)\w*": "not used",
        r"s3:Put(BucketObjectLock|ObjectLock|IntelligentTiering)Configuration": "not used",
        r"s3:Delete(BucketEncryption|BucketLifecycle|Object)": "both are always there; data is kept",
        r"s3:Put(BucketAbac|BucketAcl|ObjectAcl)": "ownership is the bucket owner's, without ACLs",
    },
    "AWS::Lambda::Function": {
        r"(ec2|elasticfilesystem|s3files):.*": "no function is in a network or has a file system",
        r"kms:.*": "the variables of a function are encrypted with Lambda's own key",
        r"s3:GetObjectVersion": "code is addressed by its content, without a version",
        r"lambda:(GetLayerVersion|GetCodeSigningConfig|PassCapacityProvider)": "not used",
        r"lambda:(Put\w+|AssociateRuntimeAlias|PublishVersion)": "not used",
        r"lambda:DeleteFunction(CodeSigningConfig|Concurrency)": "not used",
    },
    "AWS::Logs::LogGroup": {
        r"firehose:.*|s3:REST\..*|logs:CreateLogDelivery": "no log is delivered elsewhere",
        r"logs:(Associate|Disassociate)KmsKey": "logs are encrypted with CloudWatch's own key",
        r"logs:Put(BearerTokenAuthentication|DataProtectionPolicy|LogGroupDeletionProtection)": "not used",
        r"logs:(Put|Delete)(Index|Resource)Policy": "not used",
    },
    "AWS::SNS::Topic": {r"iam:(GetRole|PassRole)": "no delivery status is logged"},
}


@pytest.fixture(scope="module")
def policies(new_stack: NewStack) -> dict[str, list[dict[str, Any]]]:
    """The statements of each policy for the app's stages, with account and Region unknown."""
    stack = new_stack(account=None, region=None)
    DeployerPolicy(stack, "Deployer", prefixes=["Dev", "Prod"])
    return _policies(Template.from_stack(stack))


@pytest.fixture(scope="module")
def statements(policies: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The statements of all policies: a role gets them all."""
    return [one for statements in policies.values() for one in statements]


def _policies(template: Template) -> dict[str, list[dict[str, Any]]]:
    found = template.find_resources("AWS::IAM::ManagedPolicy")
    return {
        policy["Properties"]["Description"].rpartition(": ")[2]: [
            _written(one) for one in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
        for policy in found.values()
    }


def _written(value: Any) -> Any:
    """A template value with references as ``${Name}``."""
    if isinstance(value, list):
        return [_written(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::Join" in value:
        return value["Fn::Join"][0].join(_written(part) for part in value["Fn::Join"][1])
    return {key: _written(content) for key, content in value.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _types() -> list[str]:
    found = {
        resource["Type"]
        for path in SNAPSHOTS
        for resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].values()
    }
    return sorted({*found, *ALSO_MADE} - WITHOUT_HANDLERS)


@cache
def _handlers() -> dict[str, set[str]]:
    """The permissions of the handlers of each type, from the registry schemas that cfn-lint carries."""
    found: dict[str, set[str]] = {}
    for path in (files("cfnlint") / "data" / "schemas" / "resources").iterdir():
        if path.name.endswith(".json"):
            schema = json.loads(path.read_text(encoding="utf-8"))
            handlers = schema.get("handlers", {})
            needed = (
                handlers.get(name, {}).get("permissions", [])
                for name in ("create", "read", "update", "delete")
            )
            found[schema["typeName"]] = {permission for some in needed for permission in some}
    return found


@pytest.mark.parametrize("resource_type", _types())
def test_every_type_in_our_templates_can_be_made_changed_and_deleted(
    resource_type: str, statements: list[dict[str, Any]]
) -> None:
    needed = _handlers()[resource_type]
    assert needed
    allowed = {action for one in statements for action in _listed(one["Action"])}
    unused = NOT_USED.get(resource_type, {})
    missing = {action for action in needed - allowed if not any(re.fullmatch(one, action) for one in unused)}
    assert missing == set()


def test_what_is_said_not_to_be_used_is_not_granted(statements: list[dict[str, Any]]) -> None:
    allowed = {action for one in statements for action in _listed(one["Action"])} - {
        "iam:PassRole",
        "iam:GetRole",
    }
    patterns = [pattern for unused in NOT_USED.values() for pattern in unused]
    granted = {action for action in allowed for pattern in patterns if re.fullmatch(pattern, action)}
    assert granted <= {"s3:GetBucketMetadataTableConfiguration"}  # read whenever a bucket is


def test_roles_are_handed_to_four_services_only(statements: list[dict[str, Any]]) -> None:
    (passing,) = [one for one in statements if "iam:PassRole" in _listed(one["Action"])]
    assert passing["Condition"] == {
        "StringEquals": {
            "iam:PassedToService": [
                "scheduler.amazonaws.com",
                "events.amazonaws.com",
                "sagemaker.amazonaws.com",
                "lambda.amazonaws.com",
            ]
        }
    }


def test_nothing_is_reached_but_what_is_named_after_the_stacks(statements: list[dict[str, Any]]) -> None:
    for one in statements:
        assert not [action for action in _listed(one["Action"]) if "*" in action]
        for resource in _listed(one["Resource"]):
            name = resource.replace("AWS::", "").split(":", 5)[5]
            bootstrap = r"cdk-\*-assets-|parameter/cdk-bootstrap/\*/version$"
            assert re.search(rf"(?i)(^|[/:])(dev|prod)\*|^{bootstrap}", name) or _only_reads(one), resource


def _only_reads(statement: dict[str, Any]) -> bool:
    """Whether it is the list of log groups, which knows no single group."""
    return str(statement["Sid"]) == "LogLists" and all(
        action.startswith("logs:Describe") for action in _listed(statement["Action"])
    )


def test_a_role_gets_one_managed_policy_of_aws_only(statements: list[dict[str, Any]]) -> None:
    (attaching,) = [one for one in statements if "iam:AttachRolePolicy" in _listed(one["Action"])]
    basic = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert attaching["Condition"] == {"ArnEquals": {"iam:PolicyARN": basic}}


def test_what_cloudformation_asks_for_beside_the_handlers_is_allowed(
    statements: list[dict[str, Any]],
) -> None:
    """It reads the parameter BootstrapVersion and invokes custom resources with the deploying role."""
    allowed = {action: one["Resource"] for one in statements for action in _listed(one["Action"])}
    assert _listed(allowed["ssm:GetParameters"])[0].endswith(":parameter/cdk-bootstrap/*/version")
    assert [one.rpartition(":")[2] for one in allowed["lambda:InvokeFunction"]] == ["Dev*", "Prod*"]


def test_a_key_may_be_used_by_who_makes_schedules_with_it(new_stack: NewStack) -> None:
    stack = new_stack()
    DeployerPolicy(stack, "Deployer", prefixes=["Dev"], encryption_keys=[KEY])
    found = [one for some in _policies(Template.from_stack(stack)).values() for one in some]
    assert [one for one in found if one["Sid"] == "Keys"] == [
        {
            "Sid": "Keys",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            "Resource": KEY,
        }
    ]


@pytest.mark.parametrize("keys", [KEY, ["alias/mine"], ["*"], [None]])
def test_what_is_not_the_arn_of_a_key_is_refused(new_stack: NewStack, keys: Any) -> None:
    with pytest.raises(ValueError, match="encryption_keys must be a list of ARNs of keys"):
        DeployerPolicy(new_stack(), "Deployer", prefixes=["Dev"], encryption_keys=keys)


def test_each_fits_into_a_managed_policy_with_room(policies: dict[str, list[dict[str, Any]]]) -> None:
    assert sorted(policies) == ["Data", "Pipelines", "Watching"]
    for statements in policies.values():
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        for name, length in (("${AWS::AccountId}", 12), ("${AWS::Region}", 14), ("${AWS::Partition}", 10)):
            text = text.replace(name, "x" * length)
        assert len(text) <= MAX_CHARACTERS * 3 / 4


def test_the_docs_have_the_same_policies(policies: dict[str, list[dict[str, Any]]]) -> None:
    text = (ROOT / "docs" / "deployer-policy.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"### (\w+)\n\n```json\n(.*?)```", text, re.DOTALL))
    assert {name: json.loads(block) for name, block in blocks.items()} == {
        name: {"Version": "2012-10-17", "Statement": statements} for name, statements in policies.items()
    }


def test_the_example_in_the_docs_works(new_stack: NewStack) -> None:
    text = (ROOT / "docs" / "deployer-policy.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    stack = new_stack()
    exec(code, {"stack": stack})
    found = Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy")
    names = {policy["Properties"]["ManagedPolicyName"] for policy in found.values()}
    assert names == set(re.findall(r"policy/(PipelineDeployer\w+)", text))


@pytest.mark.parametrize("prefixes", [[], "Dev", ["Dev*"], [""]])
def test_a_prefix_that_is_none_is_refused(new_stack: NewStack, prefixes: Any) -> None:
    with pytest.raises(ValueError, match="prefixes must be a list of letters, digits and hyphens"):
        DeployerPolicy(new_stack(), "Deployer", prefixes=prefixes)


def test_more_prefixes_than_fit_into_a_policy_are_refused(new_stack: NewStack) -> None:
    prefixes = [f"{name}{number}" for name in ("Dev", "Prod") for number in range(10)]
    with pytest.raises(ValueError, match=r"Stack/Deployer/\w+: the policy has at least .*IAM allows 6,144"):
        DeployerPolicy(new_stack(), "Deployer", prefixes=prefixes)
