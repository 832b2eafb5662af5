"""What the services of this package share: errors, validation against AWS's own shapes, paging, JSON."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

Json = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

# A body is checked by parsing it. AWS's pattern for it backtracks over a megabyte of text.
_UNMATCHED_SHAPES: Final = frozenset({"PipelineDefinition"})


class ServiceError(Exception):
    """An error as an AWS service answers it: a code, a message and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> ServiceError:
    """The ``ValidationException`` that every service here answers with status 400."""
    return ServiceError("ValidationException", message)


@cache
def _service_model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


def operation_model(service: str, operation: str) -> OperationModel | None:
    """Botocore's model of an operation, or None where the service has no such operation."""
    model = _service_model(service)
    return model.operation_model(operation) if operation in model.operation_names else None


def validate(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Check a request against the operation's published input shape.

    Args:
        service: botocore's name of the service, ``scheduler``.
        operation: the operation's API name, ``CreateSchedule``.
        params: the request, with AWS's own member names.

    Raises:
        ServiceError: a ``ValidationException`` in the wording AWS uses, one clause for each violation.
    """
    model = operation_model(service, operation)
    if model is None or model.input_shape is None:
        return
    found = list(_violations(model.input_shape, params, ""))
    if found:
        errors = "error" if len(found) == 1 else "errors"
        raise invalid(f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure_violations(shape, value, path)
    elif shape.type_name == "list":
        yield from _list_violations(shape, value, path)
    elif shape.type_name == "string":
        yield from _string_violations(shape, value, path)
    elif shape.type_name in ("integer", "long"):
        yield from _number_violations(shape, value, path)


def _structure_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _clause(value, path, "Member must be a structure")
        return
    for name in shape.metadata.get("required", []):
        if value.get(name) is None:
            yield _clause(None, _child(path, name), "Member must not be null")
    for name, member in value.items():
        if name not in shape.members:
            yield _clause(member, _child(path, name), "Member is not known")
        elif member is not None:
            yield from _violations(shape.members[name], member, _child(path, name))


def _list_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        yield _clause(value, path, "Member must be a list")
        return
    yield from _range_violations(shape, value, path, len(value), "length")
    for position, item in enumerate(value, start=1):
        yield from _violations(shape.member, item, f"{path}.{position}.member")


def _string_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _clause(value, path, "Member must be a string")
        return
    yield from _range_violations(shape, value, path, len(value), "length")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield _clause(value, path, f"Member must satisfy enum value set: [{', '.join(enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and shape.name not in _UNMATCHED_SHAPES and not _matches(pattern, value):
        yield _clause(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # one of Java's, with a class such as \p{L}
        return True


def _number_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _clause(value, path, "Member must be an integer")
        return
    yield from _range_violations(shape, value, path, value, "value")


def _range_violations(shape: Shape, value: Any, path: str, size: int, noun: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield _clause(value, path, f"Member must have {noun} greater than or equal to {low}")
    if high is not None and size > high:
        yield _clause(value, path, f"Member must have {noun} less than or equal to {high}")


def _child(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _clause(value: Any, path: str, constraint: str) -> str:
    shown = "" if value is None else f" '{value}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def page(items: Sequence[Any], limit: int | None, token: str | None) -> tuple[list[Any], str | None]:
    """One page of a listing and the opaque token of the next, as AWS's ``NextToken``.

    Raises:
        ServiceError: the token was not made here.
    """
    start = _offset(token) if token else 0
    end = start + (limit or 100)
    following = base64.urlsafe_b64encode(f"offset:{end}".encode()).decode() if end < len(items) else None
    return list(items[start:end]), following


def _offset(token: str) -> int:
    try:
        label, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if label == "offset":
            return int(number)
    except ValueError:
        pass
    raise invalid("Invalid NextToken.")


def answer(body: Mapping[str, Any], content_type: str) -> Response:
    """A successful response; members that are None are left out, as AWS leaves them out."""
    present = {name: value for name, value in body.items() if value is not None}
    return 200, {"Content-Type": content_type}, json.dumps(present).encode()


def refusal(error: ServiceError, content_type: str) -> Response:
    """The error response of the JSON protocols: the code in the body and in the header."""
    headers = {"Content-Type": content_type, "x-amzn-errortype": error.code}
    body = {"__type": error.code, "message": error.message, "Message": error.message}
    return error.status, headers, json.dumps(body).encode()
