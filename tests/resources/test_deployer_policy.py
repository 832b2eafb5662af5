"""The deployer's policy: it covers every type in our templates, is least, and is the one in the docs."""

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
ALSO_MADE = ("AWS::CloudWatch::Dashboard", "AWS::Events::Rule")
# What has no handler to ask: the CLI's own record, which AWS takes without permissions.
WITHOUT_HANDLERS = {"AWS::CDK::Metadata"}

NOT_USED = {
    "AWS::IAM::Policy": {
        r"iam:.*(User|Group)Policy": "policies are attached to roles only",
    },
    "AWS::IAM::Role": {
        r"iam:(Attach|Detach)RolePolicy": "roles have no managed policies",
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
    "AWS::SNS::Topic": {r"iam:(GetRole|PassRole)": "no delivery status is logged"},
}


@pytest.fixture(scope="module")
def statements(new_stack: NewStack) -> list[dict[str, Any]]:
    """The statements of the policy for the app's stages, with account and Region unknown."""
    stack = new_stack(account=None, region=None)
    DeployerPolicy(stack, "Deployer", prefixes=["Dev", "Prod"])
    template = Template.from_stack(stack)
    (policy,) = template.find_resources("AWS::IAM::ManagedPolicy").values()
    return [_written(one) for one in policy["Properties"]["PolicyDocument"]["Statement"]]


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


def test_roles_are_handed_to_three_services_only(statements: list[dict[str, Any]]) -> None:
    (passing,) = [one for one in statements if "iam:PassRole" in _listed(one["Action"])]
    assert passing["Condition"] == {
        "StringEquals": {
            "iam:PassedToService": [
                "scheduler.amazonaws.com",
                "events.amazonaws.com",
                "sagemaker.amazonaws.com",
            ]
        }
    }


def test_nothing_is_reached_but_what_is_named_after_the_stacks(statements: list[dict[str, Any]]) -> None:
    for one in statements:
        assert not [action for action in _listed(one["Action"]) if "*" in action]
        for resource in _listed(one["Resource"]):
            name = resource.replace("AWS::", "").split(":", 5)[5]
            assert re.search(r"(?i)(^|[/:])(dev|prod)\*|^cdk-\*-assets-", name), resource


def test_it_fits_into_one_managed_policy(statements: list[dict[str, Any]]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    for name, length in (("${AWS::AccountId}", 12), ("${AWS::Region}", 14), ("${AWS::Partition}", 10)):
        text = text.replace(name, "x" * length)
    assert len(text) <= MAX_CHARACTERS


def test_the_docs_have_the_same_policy(statements: list[dict[str, Any]]) -> None:
    text = (ROOT / "docs" / "deployer-policy.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(block) == {"Version": "2012-10-17", "Statement": statements}


def test_the_example_in_the_docs_works(new_stack: NewStack) -> None:
    text = (ROOT / "docs" / "deployer-policy.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    stack = new_stack()
    exec(code, {"stack": stack})
    Template.from_stack(stack).resource_count_is("AWS::IAM::ManagedPolicy", 1)


@pytest.mark.parametrize("prefixes", [[], "Dev", ["Dev*"], [""]])
def test_a_prefix_that_is_none_is_refused(new_stack: NewStack, prefixes: Any) -> None:
    with pytest.raises(ValueError, match="prefixes must be a list of letters, digits and hyphens"):
        DeployerPolicy(new_stack(), "Deployer", prefixes=prefixes)


def test_more_prefixes_than_fit_into_a_policy_are_refused(new_stack: NewStack) -> None:
    prefixes = [f"{name}{number}" for name in ("Dev", "Prod") for number in range(4)]
    with pytest.raises(ValueError, match=r"Stack/Deployer: the policy has at least .*IAM allows 6,144"):
        DeployerPolicy(new_stack(), "Deployer", prefixes=prefixes)
