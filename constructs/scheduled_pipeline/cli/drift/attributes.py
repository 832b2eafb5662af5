"""What ``Fn::GetAtt`` of a deployed resource is, made from its physical id.

No call of an API returns the attributes of a stack's resources. Those here are ARNs and names, of the types
that schedules, rules and pipelines refer to; each follows "Return values" on the page of its type in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.cli.assembly.intrinsics import mapping

_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "AWS::DynamoDB::Table": {"Arn": "arn:{partition}:dynamodb:{region}:{account}:table/{id}"},
    "AWS::ECR::Repository": {"Arn": "arn:{partition}:ecr:{region}:{account}:repository/{id}"},
    "AWS::Events::EventBus": {
        "Arn": "arn:{partition}:events:{region}:{account}:event-bus/{id}",
        "Name": "{id}",
    },
    "AWS::Events::Rule": {"Arn": "arn:{partition}:events:{region}:{account}:rule/{slashed}"},
    "AWS::IAM::Role": {"Arn": "arn:{partition}:iam::{account}:role{path}{id}"},
    "AWS::KMS::Key": {"Arn": "arn:{partition}:kms:{region}:{account}:key/{id}", "KeyId": "{id}"},
    "AWS::Lambda::Function": {"Arn": "arn:{partition}:lambda:{region}:{account}:function:{id}"},
    "AWS::Logs::LogGroup": {"Arn": "arn:{partition}:logs:{region}:{account}:log-group:{id}:*"},
    "AWS::S3::Bucket": {"Arn": "arn:{partition}:s3:::{id}"},
    "AWS::SNS::Topic": {"TopicArn": "{id}", "TopicName": "{last}"},
    "AWS::SQS::Queue": {
        "Arn": "arn:{partition}:sqs:{region}:{account}:{last}",
        "QueueName": "{last}",
        "QueueUrl": "{id}",
    },
    "AWS::Scheduler::ScheduleGroup": {
        "Arn": "arn:{partition}:scheduler:{region}:{account}:schedule-group/{id}"
    },
    "AWS::StepFunctions::StateMachine": {"Arn": "{id}", "Name": "{last}"},
}


def attributes(
    resources: Mapping[str, Any], physical_ids: Mapping[str, str], place: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Logical id, a dot and the attribute, and its value, of what is known.

    Args:
        resources: of the template.
        physical_ids: by logical id.
        place: the partition, the Region and the account.
    """
    for logical_id, physical_id in physical_ids.items():
        resource = mapping(resources.get(logical_id))
        path = mapping(resource.get("Properties")).get("Path", "/")
        if not isinstance(path, str):
            continue
        parts = {
            **place,
            "id": physical_id,
            "last": physical_id.replace(":", "/").rpartition("/")[2],
            "slashed": physical_id.replace("|", "/"),
            "path": path,
        }
        for name, form in _ATTRIBUTES.get(str(resource.get("Type")), {}).items():
            yield f"{logical_id}.{name}", form.format(**parts)
