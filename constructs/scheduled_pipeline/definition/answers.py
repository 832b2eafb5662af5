"""``Answer``: what AWS says to a call that only reads, as a file of the project has it."""

from __future__ import annotations

import base64
import binascii
import copy
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.findings import known

_READING = re.compile(r"(Describe|Get|List)[A-Z]\w*")
# The offline AWS answers these itself, from the pipeline's placeholders, whatever a file has.
_ANSWERED_ANYWAY = {"sts:GetCallerIdentity", "iam:GetRole"}
_MEMBERS = {"call", "parameters", "answer"}
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "structure": ((dict,), "an object"),
    "map": ((dict,), "an object"),
    "list": ((list,), "a list"),
    "string": ((str,), "a string"),
    "character": ((str,), "a string"),
    "integer": ((int,), "an integer"),
    "long": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "timestamp": ((str, int, float), "a date"),
    "blob": ((str,), "a string in base64"),
}


class AnswersError(ValueError):
    """A file of answers cannot be read, or what it has is not what AWS answers."""


@dataclass(frozen=True)
class Answer:
    """What AWS says to one call.

    Attributes:
        call: the call, for example ``sagemaker:DescribeHubContent``.
        parameters: its parameters.
        output: what comes back, with the types that boto3 gives it, but without a stream.
        stream: the name of the member that is a stream, and its content; None where there is none.
        file: the file that it is from.
    """

    call: str
    parameters: Mapping[str, Any]
    output: Mapping[str, Any]
    stream: tuple[str, bytes] | None
    file: str


def read_answers(file: str | PathLike[str]) -> list[Answer]:
    """Read a file of answers: a JSON list of ``{"call": ..., "parameters": {...}, "answer": ...}``.

    ``answer`` is what the AWS CLI prints for the call, or the path of a file that has it, relative to this
    one; for an answer with a stream, as that of ``s3:GetObject``, it is the path of the stream's content.

    Raises:
        AnswersError: the file or one of its entries is not of that form, the call does not only read, or its
            answer does not have the shape that botocore knows.
    """
    path = Path(file)
    entries = _json_of(path, f"the file of AWS answers {str(path)!r}")
    if not isinstance(entries, list):
        raise AnswersError(f"the file of AWS answers {str(path)!r} must have a list, got {entries!r:.80}")
    answers: list[Answer] = []
    for number, entry in enumerate(entries):
        place = f"the file of AWS answers {str(path)!r}, entry {number}"
        answer = _answer(entry, path, place)
        if any((one.call, one.parameters) == (answer.call, answer.parameters) for one in answers):
            raise AnswersError(f"{place}: {answer.call} has an answer for these parameters already")
        answers.append(answer)
    return answers


def find_answer(
    answers: Iterable[Answer], service: str, operation: str, parameters: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return what a call is answered with, as boto3 gives it, or None.

    Of a call for an object only what names the object counts; its size is known where its content is.

    Raises:
        ClientError: a part of an object is asked for that it does not have.
    """
    asked = "GetObject" if (service, operation) == ("s3", "HeadObject") else operation
    wanted = _naming(f"{service}:{asked}", parameters)
    for answer in answers:
        if answer.call == f"{service}:{asked}" and _naming(answer.call, answer.parameters) == wanted:
            return _output(answer, parameters, with_stream=asked == operation)
    return None


def say_missing(
    answers: Iterable[Answer], service: str, operation: str, parameters: Mapping[str, Any]
) -> str | None:
    """Say how to answer a call that nothing answers; None where it does more than read."""
    asked = "GetObject" if (service, operation) == ("s3", "HeadObject") else operation
    if not _READING.fullmatch(asked):
        return None
    call = f"{service}:{asked}"
    entry = json.dumps({"call": call, "parameters": _naming(call, parameters)}, default=str)
    files = list(dict.fromkeys(answer.file for answer in answers))
    if files:
        return f'{" and ".join(map(repr, files))} has no answer to it; add {entry[:-1]}, "answer": ...}}'
    return (
        "take what you need from the context, or pass it through values={...}; or record what AWS answers: "
        f"context.answer_from('answers.json') with {entry[:-1]}, \"answer\": ...}}, docs/build-functions.md"
    )


def _naming(call: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if call != "s3:GetObject":
        return dict(parameters)
    return {name: parameters[name] for name in ("Bucket", "Key", "VersionId") if name in parameters}


def _output(answer: Answer, parameters: Mapping[str, Any], *, with_stream: bool) -> dict[str, Any]:
    output = copy.deepcopy(dict(answer.output))
    if answer.stream is None:
        return output
    from botocore.response import StreamingBody

    name, content = answer.stream
    if answer.call == "s3:GetObject" and (part := _part(str(parameters.get("Range")), len(content))):
        output["ContentRange"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
        content = content[part.start : part.stop]
    if with_stream:
        output[name] = StreamingBody(io.BytesIO(content), len(content))
    return {**output, "ContentLength": len(content), "ETag": '"recorded"'}


def _part(asked: str, size: int) -> range | None:
    """Return which bytes of an object are asked for, or None for all of them, as S3 reads ``Range``.

    https://www.rfc-editor.org/rfc/rfc9110#name-byte-ranges; what is no range of bytes does not count.
    """
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1]:
        start, stop = int(found[1]), min(int(found[2] or size), size - 1) + 1
        if found[2] and int(found[2]) < start:
            return None
    else:
        start, stop = max(size - int(found[2]), 0), size
    if start >= size:
        from botocore.exceptions import ClientError

        error = {"Code": "InvalidRange", "Message": "The requested range is not satisfiable"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 416}}, "GetObject")
    return range(start, stop)


def _answer(entry: Any, path: Path, place: str) -> Answer:
    if not isinstance(entry, dict) or entry.keys() != _MEMBERS:
        raise AnswersError(
            f"{place}: must be an object with the members call, parameters and answer, got {entry!r:.120}"
        )
    call, parameters, given = entry["call"], entry["parameters"], entry["answer"]
    if not isinstance(parameters, dict):
        raise AnswersError(f"{place}: parameters must be an object, got {parameters!r:.80}")
    operation = _operation(call, place)
    place = f"{place}, {call}"
    _check_parameters(parameters, operation.input_shape, place)
    if operation.has_streaming_output:
        content = _content_of(path, given, f"{place}: answer, the path of the content,")
        stream = (operation.output_shape.serialization["payload"], content)
        return Answer(call, parameters, {}, stream, str(path))
    if isinstance(given, str):
        given = _json_of(path.parent / given, f"{place}: answer {given!r}")
    if isinstance(given, dict):
        given.pop("ResponseMetadata", None)
    output = _converted(given, operation.output_shape, f"{place}: answer")
    return Answer(call, parameters, output, None, str(path))


def _operation(call: Any, place: str) -> Any:
    """Return botocore's model of an operation that only reads."""
    service, _, operation = call.partition(":") if isinstance(call, str) else ("", "", "")
    if not operation:
        raise AnswersError(
            f"{place}: call must be like 'sagemaker:DescribeHubContent', the service and the operation as "
            f"boto3 names them, got {call!r:.80}"
        )
    model = _service(service, place)
    if operation not in model.operation_names:
        raise AnswersError(
            f"{place}: {service} has no {operation!r}; {known(operation, model.operation_names)}"
        )
    if not _READING.fullmatch(operation):
        raise AnswersError(f"{place}: {call} does not only read; only Describe, Get and List can be answered")
    if call in _ANSWERED_ANYWAY:
        raise AnswersError(
            f"{place}: {call} is answered without a file: the caller and the roles that a build function "
            "sees are the pipeline's; take the entry out"
        )
    return model.operation_model(operation)


@cache
def _botocore() -> Any:
    import botocore.session

    return botocore.session.get_session()


def _service(name: str, place: str) -> Any:
    from botocore.exceptions import UnknownServiceError

    try:
        return _botocore().get_service_model(name)
    except UnknownServiceError:
        services = _botocore().get_available_services()
        raise AnswersError(f"{place}: boto3 has no service {name!r}; {known(name, services)}") from None


def _check_parameters(parameters: Mapping[str, Any], shape: Any, place: str) -> None:
    members = {} if shape is None else shape.members
    for name in parameters:
        if name not in members:
            raise AnswersError(f"{place}: there is no parameter {name!r}; {known(name, members)}")


def _converted(value: Any, shape: Any, place: str) -> Any:
    """Return a value as boto3 would give it, checked against its shape."""
    shape_type = "structure" if shape is None else shape.type_name
    types, noun = _TYPES[shape_type]
    fits: bool = isinstance(value, types)
    if not fits or (isinstance(value, bool) and shape_type != "boolean"):
        raise AnswersError(f"{place}: must be {noun}, got {value!r:.80}")
    match shape_type:
        case "structure" if not getattr(shape, "is_document_type", False):
            return dict(_structure(value, shape, place))
        case "map":
            return {name: _converted(entry, shape.value, f"{place}.{name}") for name, entry in value.items()}
        case "list":
            return [_converted(entry, shape.member, f"{place}[{index}]") for index, entry in enumerate(value)]
        case "timestamp" | "blob":
            return _parsed(value, shape_type, f"{place}: must be {noun}, got {value!r:.80}")
    return value


def _structure(value: Mapping[str, Any], shape: Any, place: str) -> Iterator[tuple[str, Any]]:
    members = {} if shape is None else shape.members
    for name in getattr(shape, "required_members", ()):
        if name not in value:
            raise AnswersError(f"{place}: needs {name}")
    for name, entry in value.items():
        if name not in members:
            raise AnswersError(f"{place}: there is no {name!r}; {known(name, members)}")
        if entry is not None:
            yield name, _converted(entry, members[name], f"{place}.{name}")


def _parsed(value: Any, shape_type: str, error: str) -> Any:
    from botocore.utils import parse_timestamp

    try:
        return parse_timestamp(value) if shape_type == "timestamp" else base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise AnswersError(error) from None


def _content_of(path: Path, given: Any, place: str) -> bytes:
    if not isinstance(given, str):
        raise AnswersError(f"{place} must be a string, got {given!r:.80}")
    try:
        return (path.parent / given).read_bytes()
    except OSError as error:
        raise AnswersError(f"{place} cannot be read: {error}") from None


def _json_of(path: Path, what: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnswersError(f"{what} cannot be read: {error}") from None
