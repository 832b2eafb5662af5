"""The event that SageMaker sends when a model package is updated; the registry itself is moto's.

Its fields are those of "SageMaker model package state change" in "Events that Amazon SageMaker AI sends to
Amazon EventBridge". That of a package that is created was not found there, so none is sent.
"""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from typing import Final

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge

from local_aws.emulator.api import Json

_STATE_CHANGE: Final = "SageMaker Model Package State Change"
# What the document lists as "other possible values", by the members of UpdateModelPackage.
_FIELDS: Final = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
    "ModelLifeCycle": "ModelLifeCycle",
    "SourceUri": "sourceUri",
}


def announce(request: Json, described: Json) -> None:
    """Put the change of a model package on the default bus.

    Args:
        request: of UpdateModelPackage.
        described: what DescribeModelPackage answers after it.
    """
    detail = {name: _plain(value) for name, value in described.items() if name != "ResponseMetadata"}
    updated = [event_name for name, event_name in _FIELDS.items() if name in request]
    event = {
        "EventId": secrets.token_hex(16),
        "Source": "aws.sagemaker",
        "DetailType": _STATE_CHANGE,
        "Detail": json.dumps({**detail, "UpdatedModelPackageFields": updated}),
        "EventBusName": "default",
        "Time": time.time(),
        "Resources": [described["ModelPackageArn"]],
        "Account": get_account_id(),
        "Region": get_region(),
    }
    eventbridge._dispatch_event(event)


def _plain(value: object) -> object:
    """A time as the event writes it."""
    is_time = isinstance(value, int | float) and not isinstance(value, bool) and value > 1e9
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if is_time else value  # type: ignore[arg-type]
