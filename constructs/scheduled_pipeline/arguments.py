"""Checks what a construct was given before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAPPINGS = {
    "schedules": "a mapping of names to schedules, such as {'Nightly': PipelineSchedule.cron(...)}",
    "events": "a mapping of names to triggers, such as {'NewData': EventTrigger.s3_object_created(...)}",
    "values": "a mapping of names to values, such as {'DataBucket': bucket.bucket_name}",
}
_OBJECTS = {
    "artifact_bucket": ("bucket_arn", "an s3.IBucket, such as Bucket.from_bucket_name(...)"),
    "execution_role": ("role_arn", "an iam.IRole, such as Role.from_role_arn(...)"),
    "scheduler_role": ("role_arn", "an iam.IRole, such as Role.from_role_arn(...)"),
    "event_role": ("role_arn", "an iam.IRole, such as Role.from_role_arn(...)"),
    "schedule_group": ("schedule_group_arn", "a scheduler.IScheduleGroup"),
    "dead_letter_queue": ("queue_arn", "an sqs.IQueue, such as Queue.from_queue_arn(...)"),
    "encryption_key": ("key_arn", "a kms.IKey, such as Key.from_key_arn(...)"),
    "notify": ("topic_arn", "an sns.ITopic, such as AlertTopic(...)"),
}
_TEXTS = ("pipeline_name", "description")
_SWITCHES = ("alarms", "dashboard", "sweep_strays")


def check_arguments(path: str, **given: Any) -> None:
    """Refuse a value of a wrong type, naming the construct, the field, the value and what is wanted.

    Raises:
        TypeError: one of the values has a wrong type; None is always allowed.
    """
    for field, value in given.items():
        wanted = None if value is None else _wanted(field, value)
        if wanted is not None:
            raise TypeError(f"{path}: {field} must be {wanted}, got {value!r:.200} ({type(value).__name__})")
    for field in _MAPPINGS.keys() & given.keys():
        for name in given[field] or ():
            if not isinstance(name, str):
                raise TypeError(f"{path}: {field} must have strings as names, got {name!r}")


def _wanted(field: str, value: Any) -> str | None:
    """Return what a field must be, or None if the value is that."""
    if field in _MAPPINGS:
        return None if isinstance(value, Mapping) else _MAPPINGS[field]
    if field in _OBJECTS:
        attribute, wanted = _OBJECTS[field]
        # The class is asked first: to ask the object is to get the attribute from the CDK.
        return None if hasattr(type(value), attribute) or hasattr(value, attribute) else wanted
    if field in _TEXTS:
        return None if isinstance(value, str) else "a string"
    if field in _SWITCHES:
        return None if isinstance(value, bool) else "True or False"
    return None if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
