"""Checks what a construct was given before anything is made of it.

What an option may be follows from its annotation in the signature of the constructor: the table below has a
row for each annotation. An option whose annotation has no row is an error of this package, which every use
of the construct shows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What the options of one annotation must be.

    Attributes:
        wanted: the same in words, for errors.
        fits: whether a value is that.
        entry: of a list, what its entries must be.
        named: whether it is a mapping, whose keys must be strings.
    """

    wanted: str
    fits: Callable[[Any], bool]
    entry: Kind | None = None
    named: bool = False


def _an_object(attribute: str, wanted: str) -> Kind:
    def is_one(value: object) -> bool:
        if isinstance(value, type):  # which has the attributes of its instances
            return False
        # The class is asked first: to ask the object is to get the attribute from the CDK.
        return hasattr(type(value), attribute) or hasattr(value, attribute)

    return Kind(wanted, is_one)


def _a_mapping(wanted: str) -> Kind:
    return Kind(f"a mapping of names to {wanted}", lambda value: isinstance(value, Mapping), named=True)


def _a_list(entry: Kind, wanted: str) -> Kind:
    return Kind(f"a list of {wanted}", _is_list, entry=entry)


def _is_list(value: Any) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)


_TEXT = Kind("a string", lambda value: isinstance(value, str))
_BUCKET = _an_object("bucket_arn", "an s3.IBucket, such as Bucket.from_bucket_name(...)")
_KINDS = {
    # PipelineDefinition.of says what is wrong with a definition.
    "PipelineDefinition | BuildFunction | str": Kind("a definition", lambda value: True),
    "Mapping[str, PipelineSchedule | SdkSchedule]": _a_mapping(
        "schedules, such as {'Nightly': PipelineSchedule.cron(...)}"
    ),
    "Mapping[str, EventTrigger]": _a_mapping(
        "triggers, such as {'NewData': EventTrigger.s3_object_created(...)}"
    ),
    "Mapping[str, Value]": _a_mapping("values, such as {'DataBucket': bucket.bucket_name}"),
    "Mapping[str, FleetPipeline]": Kind(
        "a mapping of names to FleetPipeline", lambda value: isinstance(value, Mapping)
    ),
    "Sequence[str]": _a_list(_TEXT, "strings, such as ['unknown-member:Steps.Train.Arguments.Foo']"),
    "Sequence[s3.IBucket]": _a_list(_BUCKET, "buckets, such as [Bucket.from_bucket_name(...)]"),
    "s3.IBucket": _BUCKET,
    "iam.IRole": _an_object("role_arn", "an iam.IRole, such as Role.from_role_arn(...)"),
    "scheduler.IScheduleGroup": _an_object("schedule_group_arn", "a scheduler.IScheduleGroup"),
    "sqs.IQueue": _an_object("queue_arn", "an sqs.IQueue, such as Queue.from_queue_arn(...)"),
    "kms.IKey": _an_object("key_arn", "a kms.IKey, such as Key.from_key_arn(...)"),
    "sns.ITopic": _an_object("topic_arn", "an sns.ITopic, such as AlertTopic(...)"),
    "Environment": _an_object("region", "an Environment, such as Environment(account=..., region=...)"),
    "Scheduling": _an_object("parts_for", "a Scheduling, such as a stack of a PipelineFleet"),
    "str": _TEXT,
    "bool": Kind("True or False", lambda value: isinstance(value, bool)),
    "int": Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
}


def check_arguments(path: str, construct: type, given: Mapping[str, Any]) -> None:
    """Refuse a value of a wrong type, naming the construct, the field, the value and what is wanted.

    Args:
        path: of the construct, for errors.
        construct: the class whose constructor has the options as keyword-only arguments.
        given: the options by name, such as the ``locals()`` of that constructor; other names are left alone.

    Raises:
        TypeError: one of the values has a wrong type.
        NotImplementedError: an option has an annotation that this module does not know.
    """
    for field, (kind, optional) in options_of(construct).items():
        value = given[field]
        if value is None and optional:
            continue
        if not kind.fits(value):
            raise TypeError(f"{path}: {field} must be {kind.wanted}, got {_shown(value)}")
        _check_inside(f"{path}: {field}", kind, value)


@cache
def options_of(construct: type) -> dict[str, tuple[Kind, bool]]:
    """Return what each keyword-only argument of a constructor must be, and whether it may be None."""
    found = {}
    for field, parameter in inspect.signature(vars(construct)["__init__"]).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        annotation = str(parameter.annotation)
        plain = annotation.removesuffix(" | None")
        if plain not in _KINDS:
            raise NotImplementedError(
                f"{construct.__name__}: nothing checks the option {field}: {annotation}; "
                f"add a row for it to {__name__}"
            )
        found[field] = _KINDS[plain], annotation != plain
    return found


def _check_inside(field: str, kind: Kind, value: Any) -> None:
    if kind.named:
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"{field} must have strings as names, got {name!r}")
    if kind.entry is not None:
        for number, one in enumerate(value):
            if not kind.entry.fits(one):
                raise TypeError(f"{field}[{number}] must be {kind.entry.wanted}, got {_shown(one)}")


def _shown(value: object) -> str:
    return f"{value!r:.200} ({type(value).__name__})"
