"""The EventBridge Scheduler API (botocore ``scheduler-2021-06-30``): schedules and schedule groups.

Records live in MiniStack's own stores, so its tagging and reset reach them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from ministack.core.responses import get_account_id, get_region
from ministack.services import scheduler as ministack_scheduler

from local_aws.emulator import api, recurrence, targets
from local_aws.emulator.api import Json, Response, ServiceError, invalid

CONTENT_TYPE: Final = "application/json"
_START_GRACE_SECONDS: Final = 300
# What UpdateSchedule resets when it is not given, and CreateSchedule fills in.
_DEFAULTS: Final[Json] = {
    "ActionAfterCompletion": "NONE",
    "GroupName": "default",
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
}
_SETTINGS: Final = (
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)
_SUMMARY: Final = ("Arn", "CreationDate", "GroupName", "LastModificationDate", "Name", "State")

# The stores are scoped to the request's account and Region; a schedule's key is "group/name".
schedules: Any = ministack_scheduler._schedules
groups: Any = ministack_scheduler._schedule_groups


def find_schedule(name: str, group: str) -> Json:
    """The record of a schedule.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    record = schedules.get(f"{group}/{name}")
    if record is None:
        raise ServiceError("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)
    return record  # type: ignore[no-any-return]


def find_group(name: str) -> Json:
    """The record of a schedule group; ``default`` is always there.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    ministack_scheduler._ensure_default_group()
    group = groups.get(name)
    if group is None:
        raise ServiceError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)
    return group  # type: ignore[no-any-return]


def create_schedule(request: Json) -> Json:
    """CreateSchedule; the same ``ClientToken`` gives the same schedule."""
    record = _checked_record(request)
    key = f"{record['GroupName']}/{record['Name']}"
    existing = schedules.get(key)
    if existing is not None:
        if request.get("ClientToken") == existing["ClientToken"] is not None:
            return {"ScheduleArn": existing["Arn"]}
        raise ServiceError("ConflictException", f"Schedule {record['Name']} already exists.", 409)
    now = time.time()
    schedules[key] = {**record, "CreationDate": now, "LastModificationDate": now, "Anchor": now}
    return {"ScheduleArn": record["Arn"]}


def update_schedule(request: Json) -> Json:
    """UpdateSchedule: every setting is replaced, and what is not given gets its default again."""
    existing = find_schedule(request["Name"], request.get("GroupName", "default"))
    record, now = _checked_record(request), time.time()
    same_rhythm = existing["ScheduleExpression"] == record["ScheduleExpression"]
    schedules[f"{record['GroupName']}/{record['Name']}"] = {
        **record,
        "CreationDate": existing["CreationDate"],
        "LastModificationDate": now,
        "Anchor": existing["Anchor"] if same_rhythm else now,
    }
    return {"ScheduleArn": record["Arn"]}


def get_schedule(request: Json) -> Json:
    """GetSchedule: every setting."""
    record = find_schedule(request["Name"], request.get("GroupName", "default"))
    return {name: record.get(name) for name in (*_SETTINGS, "Arn", "CreationDate", "LastModificationDate")}


def delete_schedule(request: Json) -> Json:
    """DeleteSchedule."""
    record = find_schedule(request["Name"], request.get("GroupName", "default"))
    schedules.pop(f"{record['GroupName']}/{record['Name']}")
    return {}


def list_schedules(request: Json) -> Json:
    """ListSchedules: by group, name prefix and state, in pages."""
    prefix = request.get("NamePrefix", "")
    found = [
        record
        for record in schedules.values()
        if request.get("GroupName") in (None, record["GroupName"])
        and request.get("State") in (None, record["State"])
        and record["Name"].startswith(prefix)
    ]
    found.sort(key=lambda record: (record["GroupName"], record["Name"]))
    shown, token = api.page(found, request.get("MaxResults"), request.get("NextToken"))
    return {"Schedules": [_schedule_summary(record) for record in shown], "NextToken": token}


def _schedule_summary(record: Json) -> Json:
    return {**{name: record[name] for name in _SUMMARY}, "Target": {"Arn": record["Target"]["Arn"]}}


def create_group(request: Json) -> Json:
    """CreateScheduleGroup; the same ``ClientToken`` gives the same group."""
    name, token = request["Name"], request.get("ClientToken")
    ministack_scheduler._ensure_default_group()
    existing = groups.get(name)
    if existing is not None:
        if token is not None and existing.get("ClientToken") == token:
            return {"ScheduleGroupArn": existing["Arn"]}
        raise ServiceError("ConflictException", f"Schedule group {name} already exists.", 409)
    now, arn = time.time(), ministack_scheduler._group_arn(name)
    groups[name] = {
        "Arn": arn,
        "ClientToken": token,
        "CreationDate": now,
        "LastModificationDate": now,
        "Name": name,
        "State": "ACTIVE",
    }
    if request.get("Tags"):
        ministack_scheduler._tags[arn] = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    return {"ScheduleGroupArn": arn}


def get_group(request: Json) -> Json:
    """GetScheduleGroup."""
    return _group_summary(find_group(request["Name"]))


def delete_group(request: Json) -> Json:
    """DeleteScheduleGroup. Its schedules go with it; on AWS that takes a while, here it is done at once."""
    name = request["Name"]
    if name == "default":
        raise invalid("Cannot delete the default schedule group.")
    arn = find_group(name)["Arn"]
    for key, record in schedules.items():
        if record["GroupName"] == name:
            schedules.pop(key)
    groups.pop(name)
    ministack_scheduler._tags.pop(arn, None)
    return {}


def list_groups(request: Json) -> Json:
    """ListScheduleGroups, by name prefix, in pages."""
    ministack_scheduler._ensure_default_group()
    prefix = request.get("NamePrefix", "")
    found = [_group_summary(group) for name, group in sorted(groups.items()) if name.startswith(prefix)]
    shown, token = api.page(found, request.get("MaxResults"), request.get("NextToken"))
    return {"ScheduleGroups": shown, "NextToken": token}


def group_tags(arn: str) -> dict[str, str]:
    """The tags of a schedule group, to be changed in place."""
    return ministack_scheduler._tags.setdefault(arn, {})  # type: ignore[no-any-return]


def _group_summary(group: Json) -> Json:
    return {name: value for name, value in group.items() if name != "ClientToken"}


def _checked_record(request: Json) -> Json:
    record = {**_DEFAULTS, **{name: request[name] for name in _SETTINGS if request.get(name) is not None}}
    group = find_group(record["GroupName"])
    _check_timing(record)
    _check_window(record["FlexibleTimeWindow"])
    targets.check(record["Target"], group["Arn"])
    arn = (
        f"arn:aws:scheduler:{get_region()}:{get_account_id()}:schedule/{record['GroupName']}/{record['Name']}"
    )
    return {**record, "Arn": arn, "ClientToken": request.get("ClientToken")}


def _check_timing(record: Json) -> None:
    expression, zone_name = record["ScheduleExpression"], record["ScheduleExpressionTimezone"]
    try:
        parsed = recurrence.parse(expression)
    except ValueError as error:
        raise invalid(f"Invalid Schedule Expression {expression}.") from error
    try:
        zone = recurrence.time_zone(zone_name)
    except ValueError as error:
        raise invalid(f"Invalid Schedule Expression Timezone {zone_name}.") from error
    now = datetime.now(UTC)
    if isinstance(parsed, recurrence.At):
        if parsed.next(now, anchor=now, zone=zone) is None:
            raise invalid(f"Invalid Schedule Expression {expression}. The time is in the past.")
        return  # start and end are ignored for a one-time schedule
    start, end = record.get("StartDate"), record.get("EndDate")
    if start is not None and start < now.timestamp() - _START_GRACE_SECONDS:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end is not None and end <= max(start or 0, now.timestamp()):
        raise invalid("The EndDate you specify must be in the future and later than the StartDate.")


def _check_window(window: Json) -> None:
    flexible = window["Mode"] == "FLEXIBLE"
    if flexible != ("MaximumWindowInMinutes" in window):
        raise invalid("MaximumWindowInMinutes is required for a FLEXIBLE time window, and for no other.")


def call(operation: str, request: Json) -> Json:
    """Run one operation as a client would: the request is validated first.

    Raises:
        ServiceError: the service refuses the request.
    """
    api.validate("scheduler", operation, request)
    return _ACTIONS[operation](request)


async def handle_request(method: str, path: str, headers: Json, body: bytes, query: Json) -> Response:
    """MiniStack's entry to a service: the REST JSON protocol. Tags are left to MiniStack."""
    match = re.fullmatch(r"/(schedules|schedule-groups)(?:/(.+))?", path)
    operation = match and _ROUTES.get((match[1], match[2] is not None, method))
    if match is None or operation is None:
        return await _ministack_handler(method, path, headers, body, query)  # type: ignore[no-any-return]
    request = json.loads(body or b"{}")
    request.update(
        {_QUERY_MEMBERS[name]: values[0] for name, values in query.items() if name in _QUERY_MEMBERS}
    )
    if "MaxResults" in query:
        request["MaxResults"] = int(request["MaxResults"])
    if match[2] is not None:
        request["Name"] = unquote(match[2])
    try:
        return api.answer(call(operation, request), CONTENT_TYPE)
    except ServiceError as error:
        return api.refusal(error, CONTENT_TYPE)


_ministack_handler: Final = ministack_scheduler.handle_request

_ROUTES: Final = {
    ("schedules", True, "POST"): "CreateSchedule",
    ("schedules", True, "PUT"): "UpdateSchedule",
    ("schedules", True, "GET"): "GetSchedule",
    ("schedules", True, "DELETE"): "DeleteSchedule",
    ("schedules", False, "GET"): "ListSchedules",
    ("schedule-groups", True, "POST"): "CreateScheduleGroup",
    ("schedule-groups", True, "GET"): "GetScheduleGroup",
    ("schedule-groups", True, "DELETE"): "DeleteScheduleGroup",
    ("schedule-groups", False, "GET"): "ListScheduleGroups",
}

# Where a query parameter's name differs from the member's, botocore's model has it so.
_QUERY_MEMBERS: Final = {
    "MaxResults": "MaxResults",
    "NamePrefix": "NamePrefix",
    "NextToken": "NextToken",
    "ScheduleGroup": "GroupName",
    "State": "State",
    "clientToken": "ClientToken",
    "groupName": "GroupName",
}

_ACTIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "CreateSchedule": create_schedule,
    "UpdateSchedule": update_schedule,
    "GetSchedule": get_schedule,
    "DeleteSchedule": delete_schedule,
    "ListSchedules": list_schedules,
    "CreateScheduleGroup": create_group,
    "GetScheduleGroup": get_group,
    "DeleteScheduleGroup": delete_group,
    "ListScheduleGroups": list_groups,
}
