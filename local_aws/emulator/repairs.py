"""Where MiniStack's CloudFormation handlers differ from AWS's documentation in what this project uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ministack.services import cloudwatch, iam, s3, sns, sqs
from ministack.services.cloudformation import changesets, engine, provisioners, stacks
from ministack.services.cloudformation import handlers as cfn_handlers

from local_aws.emulator import auto_delete, buckets
from local_aws.emulator.api import Json

Create = Callable[[str, Json, str], tuple[str, Json]]

# The create-only properties of types that MiniStack has none on record for: a change set then says "may be
# replaced" of every change to them. From `createOnlyProperties` of the CloudFormation resource schemas.
_CREATE_ONLY: Final[dict[str, tuple[str, ...]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::IAM::Policy": (),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::KMS::Key": (),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::SNS::TopicPolicy": (),
    "AWS::SQS::QueuePolicy": (),
}
_KEY_HEADER: Final = "x-amz-server-side-encryption-aws-kms-key-id"
_TOPIC_ATTRIBUTES: Final = (
    "ContentBasedDeduplication",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)
_NAMED: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", lambda name: name in cloudwatch._alarms),
    "AWS::IAM::Role": ("RoleName", lambda name: name in iam._roles),
    "AWS::SNS::Topic": (
        "TopicName",
        lambda name: any(topic["name"] == name for topic in sns._topics.values()),
    ),
    "AWS::SQS::Queue": ("QueueName", lambda name: name in sqs._queue_name_to_url),
}


_ministack_conditions: Final = engine._evaluate_conditions


def conditions(template: Json, parameters: Json) -> dict[str, bool]:
    """The conditions of a template; MiniStack does not join there, as the template of the bootstrap does."""
    joined = {name: _joined(value, parameters) for name, value in template.get("Conditions", {}).items()}
    found: dict[str, bool] = _ministack_conditions({**template, "Conditions": joined}, parameters)
    return found


def _joined(value: Any, parameters: Json) -> Any:
    if isinstance(value, list):
        return [_joined(one, parameters) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        delimiter, items = value["Fn::Join"]
        if isinstance(items, dict) and items.get("Ref") in parameters:
            return delimiter.join(str(parameters[items["Ref"]]["Value"]).split(","))
    return {name: _joined(one, parameters) for name, one in value.items()}


def _named_log_group(create: Create) -> Create:
    def named(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
        # A name that CloudFormation makes begins with that of the stack, as of every type.
        name = properties.get("LogGroupName") or provisioners._physical_name(stack_name, logical_id)
        return create(logical_id, {**properties, "LogGroupName": name}, stack_name)

    return named


def _kept_log_group(update: Callable[..., tuple[str, Json]]) -> Callable[..., tuple[str, Json]]:
    def kept(physical_id: str, old: Json, new: Json, *rest: Any) -> tuple[str, Json]:
        made = {} if "LogGroupName" in {**old, **new} else {"LogGroupName": physical_id}
        return update(physical_id, {**old, **made}, {**new, **made}, *rest)

    return kept


def install() -> None:
    """Put the repaired handlers into MiniStack's table."""
    handlers = provisioners._RESOURCE_HANDLERS
    for module in (engine, stacks, cfn_handlers, changesets):
        if hasattr(module, "_evaluate_conditions"):
            module._evaluate_conditions = conditions
    logs = handlers["AWS::Logs::LogGroup"]
    logs |= {"create": _named_log_group(logs["create"]), "update": _kept_log_group(logs["update"])}
    provisioners._REPLACING_PROPERTIES.update(_CREATE_ONLY)
    handlers["AWS::S3::Bucket"] |= {
        "create": buckets.create,
        "update": buckets.update,
        "delete": buckets.delete,
    }
    s3._resolve_sse_write_headers = _with_managed_key(s3._resolve_sse_write_headers)
    handlers["AWS::SNS::Topic"] |= {
        "create": _topic_create(handlers["AWS::SNS::Topic"]["create"]),
        "update": _topic_update(handlers["AWS::SNS::Topic"]["update"]),
    }
    for resource_type, (name_property, exists) in _NAMED.items():
        handler = handlers[resource_type]
        handler["create"] = _refusing_existing(resource_type, name_property, exists, handler["create"])
    auto_delete.install(handlers)


def _with_managed_key(resolve: Callable[[Json, str], Any]) -> Callable[[Json, str], Any]:
    # "If you don't provide a key, Amazon S3 uses the AWS managed key": the CDK's staging bucket does so.
    def with_managed_key(headers: Json, bucket: str) -> Any:
        if headers.get("x-amz-server-side-encryption") == "aws:kms" and not headers.get(_KEY_HEADER):
            headers = {**headers, _KEY_HEADER: "alias/aws/s3"}
        return resolve(headers, bucket)

    return with_managed_key


def _refusing_existing(
    resource_type: str, name_property: str, exists: Callable[[str], bool], create: Create
) -> Create:
    def refusing(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
        name = properties.get(name_property)
        if name is not None and exists(name):
            raise ValueError(f"Resource of type '{resource_type}' with identifier '{name}' already exists.")
        return create(logical_id, properties, stack_name)

    return refusing


def _topic_create(create: Create) -> Create:
    def with_attributes(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
        arn, attributes = create(logical_id, properties, stack_name)
        _set_topic_attributes(arn, properties)
        return arn, attributes

    return with_attributes


def _topic_update(update: Callable[..., tuple[str, Json]]) -> Callable[..., tuple[str, Json]]:
    def with_attributes(physical_id: str, old: Json, new: Json, *rest: Any) -> tuple[str, Json]:
        arn, attributes = update(physical_id, old, new, *rest)
        _set_topic_attributes(arn, new)
        return arn, attributes

    return with_attributes


def _set_topic_attributes(arn: str, properties: Json) -> None:
    attributes = sns._topics[arn]["attributes"]
    attributes["DisplayName"] = properties.get("DisplayName", "")
    for name in _TOPIC_ATTRIBUTES:
        value = properties.get(name)
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = str(value).lower() if isinstance(value, bool) else str(value)
