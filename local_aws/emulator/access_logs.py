"""Server access logs of S3: a request to a bucket that has them becomes a record in another bucket.

"Logging requests with server access logging" and "Amazon S3 server access log format" in the user guide:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html

"Server access log records are delivered on a best-effort basis", most "within a few hours". Here they come
within a second, and what has not come yet comes just before somebody deletes the bucket that it is for: the
worst moment of those that AWS may choose. A record that may not be written is dropped; whether AWS tries
again is not documented. Grants to the log delivery group, as before bucket policies, deliver nothing here.
"""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import s3

from local_aws.emulator import permissions

Answer = tuple[int, Mapping[str, str], bytes]

SERVICE: Final = "logging.s3.amazonaws.com"
# A subresource's name in the field "Operation", where it is another than the one in the query. Those of the
# guide's example and of the multi-object delete; the guide has no list of them.
_OPERATIONS: Final = {
    "delete": "MULTI_OBJECT_DELETE",
    "logging": "LOGGING_STATUS",
    "policy": "BUCKETPOLICY",
    "versions": "BUCKETVERSIONS",
}
_PARAMETERS: Final = frozenset({"list-type", "prefix", "delimiter", "max-keys", "encoding-type", "x-id"})


@dataclass(frozen=True)
class _Destination:
    account: str
    region: str
    source: str
    bucket: str
    prefix: str


class _Request(NamedTuple):
    """What MiniStack's S3 is asked; the names of the headers are in lower case."""

    method: str
    bucket: str
    key: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, Any]


_waiting: Final[deque[tuple[_Destination, str]]] = deque()
_ministack_dispatch: Final = s3._dispatch


def dispatch(*arguments: Any) -> Answer:
    """Answer a request to S3, and note it for the access log of its bucket."""
    request = _Request(*arguments)
    if request.method == "DELETE" and not request.key and not request.query:
        deliver()
    destination = _destination(request.bucket)
    answer: Answer = _ministack_dispatch(*request)
    if destination is not None:
        _waiting.append((destination, _record(request, answer)))
    return answer


def deliver() -> None:
    """Write what is waiting: one object for each bucket, with a line for each request."""
    found: dict[_Destination, list[str]] = defaultdict(list)
    for _ in range(len(_waiting)):
        destination, record = _waiting.popleft()
        found[destination].append(record)
    for destination, records in found.items():
        with request_scope(destination.account, destination.region):
            _write(destination, "".join(f"{record}\n" for record in records).encode())


def _write(destination: _Destination, body: bytes) -> None:
    # "[DestinationPrefix][YYYY]-[MM]-[DD]-[hh]-[mm]-[ss]-[UniqueString]", in UTC, when it is delivered.
    moment = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S")
    key = f"{destination.prefix}{moment}-{secrets.token_hex(8).upper()}"
    arn = f"arn:aws:s3:::{destination.bucket}/{key}"
    source = f"arn:aws:s3:::{destination.source}"
    if permissions.bucket_allows(arn, "s3:PutObject", SERVICE, source):
        # A request like any other: a bucket that logs to itself has logs of its logs.
        dispatch("PUT", destination.bucket, key, {"user-agent": SERVICE}, body, {})


def _destination(bucket: str) -> _Destination | None:
    configuration = s3._bucket_logging_config.get(bucket) if bucket else None
    if configuration is None:
        return None
    found = _texts(configuration.encode(), "TargetBucket", "TargetPrefix")
    if "TargetBucket" not in found:
        return None
    target, prefix = found["TargetBucket"], found.get("TargetPrefix", "")
    return _Destination(get_account_id(), get_region(), bucket, target, prefix)


def _texts(document: bytes, *tags: str) -> dict[str, str]:
    """The texts of the first elements with these tags, in whatever namespace."""
    try:
        elements = ElementTree.fromstring(document).iter()
    except ElementTree.ParseError:
        return {}
    found: dict[str, str] = {}
    for element in elements:
        tag = element.tag.rpartition("}")[2]
        if tag in tags:
            found.setdefault(tag, element.text or "")
    return found


def _record(request: _Request, answer: Answer) -> str:
    """One line, with the fields in the order of the guide; "-" for what is not known here."""
    status, _, sent = answer
    owner, key = s3._canonical_owner_id(), quote(request.key)
    error = _texts(sent, "Code").get("Code", "-") if status >= 400 else "-"
    parameters = urlencode({name: _first(value) for name, value in request.query.items()})
    uri = f"/{request.bucket}" + (f"/{key}" if key else "") + (f"?{parameters}" if parameters else "")
    fields = [
        owner,
        request.bucket,
        datetime.now(UTC).strftime("[%d/%b/%Y:%H:%M:%S +0000]"),
        "127.0.0.1",
        owner,
        secrets.token_hex(8).upper(),
        f"REST.{request.method}.{_resource_type(request)}",
        key or "-",
        f'"{request.method} {uri} HTTP/1.1"',
        str(status),
        error,
        str(len(sent) or "-"),
        str(len(request.body)) if request.method == "PUT" and key else "-",
        *("-", "-", '"-"', f'"{request.headers.get("user-agent", "-")}"'),
        str(_first(request.query.get("versionId", "-"))),
        *("-", "SigV4", "-", "AuthHeader", request.headers.get("host", "-"), "-", "-", "-", get_region()),
    ]
    return " ".join(fields)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _resource_type(request: _Request) -> str:
    key = request.key
    named = [name for name in request.query if name not in _PARAMETERS and name.isalpha() and name.islower()]
    if named:
        prefix = "OBJECT_" if key and named[0] == "tagging" else ""
        return prefix + _OPERATIONS.get(named[0], named[0].upper())
    return "OBJECT" if key else "BUCKET"


def install() -> None:
    """Put the log into MiniStack's S3."""
    s3._dispatch = dispatch
