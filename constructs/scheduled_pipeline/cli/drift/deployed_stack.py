"""A stack of a cloud assembly as it is deployed: what its resources are called, and what its functions give.

Calls ``cloudformation:DescribeStacks``, ``ListStackResources`` and ``GetTemplate`` once a stack, and, where a
template imports something, ``cloudformation:ListExports``. ``DescribeStackResources`` would return the first
hundred resources alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.calls import listed
from scheduled_pipeline.cli.assembly.assembly import Stack
from scheduled_pipeline.cli.assembly.intrinsics import Scope, Text, mapping
from scheduled_pipeline.cli.drift.attributes import attributes

_GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """A stack of the assembly that is deployed.

    Attributes:
        stack: of the assembly; its functions are carried out with what the deployment knows.
        region: where it is.
        status: as CloudFormation has it.
        physical_ids: by logical id.
        waiting: logical ids of resources whose properties in the assembly are not those that are deployed.
    """

    stack: Stack
    region: str
    status: str
    physical_ids: Mapping[str, str]
    waiting: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Uncompared:
    """A stack of the assembly that cannot be compared, and why."""

    stack: Stack
    region: str
    reason: str


class StackReader:
    """Reads the stacks of one assembly, each after the stack that it is nested in."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._exports: dict[str, Mapping[str, Text]] = {}

    def read(self, stacks: Sequence[Stack]) -> Iterator[DeployedStack | Uncompared]:
        """What there is of each stack; nested ones come before the stack that they are in.

        Args:
            stacks: a root stack, and after it all that are nested in it, in the order of the assembly.
        """
        raw: dict[str, _Raw] = {}
        for stack in stacks:
            parent, _, logical_id = stack.name.rpartition("/")
            name = raw[parent].physical_ids.get(logical_id) if parent in raw else None
            region = self._region(stack)
            found = self._raw(stack, region, (name or "") if parent else stack.name)
            if isinstance(found, str):
                yield Uncompared(stack=stack, region=region, reason=found)
            else:
                raw[stack.name] = found
        for stack in reversed(stacks):
            if stack.name in raw:
                yield self._deployed(stack, raw)

    def _region(self, stack: Stack) -> str:
        known = stack.scope.given.get("AWS::Region")
        return known.text if known is not None and known.known else self._aws.region

    def _raw(self, stack: Stack, region: str, name: str) -> _Raw | str:
        """What CloudFormation has of a stack, or why there is nothing to compare with."""
        from botocore.exceptions import ClientError

        client = self._aws.client("cloudformation", region)
        if not name:
            return f"it is not deployed in {region}"
        try:
            (described,) = client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in error.response["Error"]["Message"]:
                raise
            return f"it is not deployed in {region}"
        if described["StackStatus"] == "REVIEW_IN_PROGRESS":  # a change set, and nothing else yet
            return f"it is not deployed in {region}"
        account = described["StackId"].split(":")[4]
        declared = stack.scope.given.get("AWS::AccountId")
        if declared is not None and declared.known and declared.text != account:
            return f"it belongs to account {declared.text}, and the credentials are those of {account}"
        resources = listed(client.list_stack_resources, "StackResourceSummaries", StackName=name)
        template = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        return _Raw(
            description=described,
            physical_ids={
                one["LogicalResourceId"]: one["PhysicalResourceId"]
                for one in resources
                if one.get("PhysicalResourceId") and one["ResourceStatus"] != _GONE
            },
            template=mapping(template.get("Resources")) if isinstance(template, dict) else None,
        )

    def _deployed(self, stack: Stack, raw: Mapping[str, _Raw]) -> DeployedStack:
        mine, region = raw[stack.name], self._region(stack)
        partition, account = (mine.description["StackId"].split(":")[place] for place in (1, 4))
        place = {"partition": partition, "region": region, "account": account}
        known = dict(attributes(stack.resources, mine.physical_ids, place))
        for logical_id in mine.physical_ids:
            nested = raw.get(f"{stack.name}/{logical_id}")
            outputs = {} if nested is None else nested.outputs
            known |= {f"{logical_id}.Outputs.{name}": value for name, value in outputs.items()}
        given = {
            **mine.physical_ids,
            **mine.parameters,
            "AWS::AccountId": account,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": mine.description["StackId"],
            "AWS::StackName": mine.description["StackName"],
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }
        # Without the defaults of parameters: one that the deployment hides may have another value.
        scope = Scope(
            given=_texts(given),
            resources=stack.resources,
            attributes=_texts(known),
            exports=self._exports_of(region) if _imports(stack.resources) else {},
        )
        return DeployedStack(
            stack=replace(stack, scope=scope),
            region=region,
            status=mine.description["StackStatus"],
            physical_ids=mine.physical_ids,
            waiting=frozenset(_waiting(stack.resources, mine)),
        )

    def _exports_of(self, region: str) -> Mapping[str, Text]:
        if region not in self._exports:
            client = self._aws.client("cloudformation", region)
            found = listed(client.list_exports, "Exports")
            self._exports[region] = _texts({one["Name"]: one["Value"] for one in found})
        return self._exports[region]


@dataclass(frozen=True, kw_only=True)
class _Raw:
    """What CloudFormation answers: the template's resources are nothing when it is not JSON."""

    description: Mapping[str, Any]
    physical_ids: Mapping[str, str]
    template: Mapping[str, Any] | None

    @property
    def outputs(self) -> dict[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self.description.get("Outputs", ())}

    @property
    def parameters(self) -> dict[str, str]:
        """Those whose values are told; of one with NoEcho there are stars."""
        listed_ones = self.description.get("Parameters", ())
        values = {
            one["ParameterKey"]: one.get("ResolvedValue", one.get("ParameterValue", ""))
            for one in listed_ones
        }
        return {name: value for name, value in values.items() if value.strip("*") or not value}


def _texts(values: Mapping[str, str]) -> dict[str, Text]:
    return {name: Text(text=value) for name, value in values.items()}


def _imports(value: Any) -> bool:
    if isinstance(value, dict):
        return "Fn::ImportValue" in value or any(map(_imports, value.values()))
    return isinstance(value, list) and any(map(_imports, value))


def _waiting(resources: Mapping[str, Any], raw: _Raw) -> Iterator[str]:
    for logical_id, resource in resources.items():
        if raw.template is None:
            continue
        deployed = raw.template.get(logical_id)
        own = resource.get("Properties")
        if deployed is None or (
            mapping(deployed).get("Properties") != own
            and mapping(deployed).get("Properties") != _as_returned(own)
        ):
            yield logical_id


def _as_returned(value: Any) -> Any:
    """A value as ``GetTemplate`` returns it: with a question mark for each letter that is not ASCII.

    The CDK's own ``cdk diff`` reckons with the same.
    """
    if isinstance(value, str):
        return value.encode("ascii", "replace").decode()
    if isinstance(value, dict):
        return {_as_returned(key): _as_returned(item) for key, item in value.items()}
    return [_as_returned(item) for item in value] if isinstance(value, list) else value
