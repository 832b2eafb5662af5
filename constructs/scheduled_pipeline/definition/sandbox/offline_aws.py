"""An AWS that is not there: it answers the few calls the SDK insists on and refuses every other.

The child process works with it. The app does so too, for a pipeline that it has made with the SDK itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.answers import Answer, find_answer, say_missing
from scheduled_pipeline.definition.project import is_clutter
from scheduled_pipeline.definition.sandbox.reproducible import content_digest, normalise
from scheduled_pipeline.definition.sandbox.uploads import RecordedObject

_OK = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}
_MACHINERY = tuple(
    {
        str(Path(sysconfig.get_paths()[name])) + os.sep
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    | {str(Path(__file__).parents[2]) + os.sep}
)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUCKET = {"Name": placeholders.ARTIFACT_BUCKET, "CreationDate": _EPOCH}
FROM_CONTEXT = "take what you need from the context, or pass it through values={...}"
# What a service is asked for so often that its refusal can say what to do.
_INSTEAD = {
    # LambdaStep makes or changes the function itself where it is given code.
    "lambda": "make the function in the stack, and pass its ARN through values={...}, without code",
}
_OTHER_BUCKET = (
    "the bucket of the pipeline is the only one known here: pass sagemaker_session=context.session to what "
    "the SDK makes, or default_bucket=context.bucket to a session of your own"
)
# Calls that are answered to one function of the SDK alone: the first asks for its own default bucket, the
# second makes a prefix for a job's name of the answer.
_ANSWERED_TO = {
    "ListBuckets": "_create_s3_bucket_if_it_does_not_exist",
    "DescribeModel": "_retrieve_image_uri",
    # Whether there is something where a trainer's model goes: it would else make a folder there.
    "ListObjectsV2": "_validate_s3_path_exists",
}


class NetworkCallRefusedError(RuntimeError):
    """A build function, or the SDK on its behalf, tried to reach the network."""


class ProgramRefusedError(NetworkCallRefusedError, FileNotFoundError):
    """Another program was to be run; a library that only looks whether there is one goes on without it."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass
class OfflineAws:
    """Answers AWS calls without a network and records what is uploaded.

    Attributes:
        staging: the directory that uploaded contents are written to, named by their SHA-256.
        partition: the AWS partition of the ARNs in the answers.
        strict: refuse to look for any bucket but that of the context.
        recorded: the uploads so far, by bucket and key.
        refusals: the calls that were refused so far, as sentences.
        clashes: the keys to which two different contents were uploaded, as sentences.
        answers: what calls that only read are answered with, as files of the project have it.
    """

    staging: Path
    partition: str = "aws"
    strict: bool = True
    recorded: dict[tuple[str, str], RecordedObject] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)
    answers: Sequence[Answer] = ()
    _origins: dict[tuple[str, str], str] = field(default_factory=dict)
    _parts: dict[tuple[str, str], dict[int, bytes]] = field(default_factory=dict)

    def answer(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one API call.

        Raises:
            NetworkCallRefusedError: the call is none of those that need no AWS.
        """
        handler = self._handlers().get((service, operation))
        if handler is not None and self._may_answer(operation, params):
            return {**_OK, **handler(params)}
        answer = find_answer(self.answers, service, operation, params)
        if answer is None:
            instead = _OTHER_BUCKET if operation == "HeadBucket" else _INSTEAD.get(service)
            missing = say_missing(self.answers, service, operation, params)
            self.refuse(f"the AWS call {service}:{operation}", instead or missing or FROM_CONTEXT)
        return {**_OK, **answer}

    def _may_answer(self, operation: str, params: Mapping[str, Any]) -> bool:
        if operation == "HeadBucket":
            return not self.strict or params["Bucket"] == placeholders.ARTIFACT_BUCKET
        asked_by = _ANSWERED_TO.get(operation)
        return asked_by is None or any(frame.f_code.co_name == asked_by for frame in _asking_frames())

    def refuse(
        self,
        call: str,
        instead: str = FROM_CONTEXT,
        error: type[NetworkCallRefusedError] = NetworkCallRefusedError,
    ) -> NoReturn:
        """Raise the error that names ``call``, the user's line that made it, and what to do instead."""
        sentence = f"{call}, made {_user_line()}"
        self.refusals.append(sentence)
        raise error(f"a pipeline is built without a network and without AWS; refused {sentence}; {instead}")

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Send every call of every botocore client of this process here.

        ``_make_api_call`` is where botocore sends a call on its way; a session's event system would
        miss the clients made before.
        """
        from botocore.client import BaseClient

        original = BaseClient._make_api_call

        def make_api_call(client: Any, operation_name: str, api_params: dict[str, Any]) -> dict[str, Any]:
            return self.answer(client.meta.service_model.service_name, operation_name, api_params)

        BaseClient._make_api_call = make_api_call
        try:
            yield
        finally:
            BaseClient._make_api_call = original

    def _handlers(self) -> dict[tuple[str, str], Callable[[Mapping[str, Any]], dict[str, Any]]]:
        return {
            ("sts", "GetCallerIdentity"): self._caller_identity,
            ("iam", "GetRole"): self._role,
            ("iam", "SimulatePrincipalPolicy"): _simulate,
            ("sagemaker", "DescribeModel"): _model,
            # A session that was made elsewhere looks for its default bucket, and would create it.
            ("s3", "ListBuckets"): lambda params: {"Buckets": [_BUCKET]},
            ("s3", "ListObjectsV2"): lambda params: {"KeyCount": 1, "Contents": [{"Key": params["Prefix"]}]},
            ("s3", "HeadBucket"): lambda params: {},
            ("s3", "PutObject"): self._put_object,
            ("s3", "CreateMultipartUpload"): lambda params: {"UploadId": "offline"},
            ("s3", "UploadPart"): self._upload_part,
            ("s3", "CompleteMultipartUpload"): self._complete,
        }

    def _caller_identity(self, params: Mapping[str, Any]) -> dict[str, Any]:
        # The SDK takes the caller's role for a step that names none.
        role = placeholders.role(self.partition).replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        return {"Account": placeholders.ACCOUNT, "Arn": f"{role}/offline", "UserId": "AROAOFFLINE:offline"}

    def _role(self, params: Mapping[str, Any]) -> dict[str, Any]:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        name = params["RoleName"]
        arn = placeholders.role(self.partition)
        if not arn.endswith(f"/{name}"):
            arn = f"arn:{self.partition}:iam::{placeholders.ACCOUNT}:role/{name}"
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        return {"Role": {"RoleName": name, "Arn": arn, "AssumeRolePolicyDocument": trust}}

    def _put_object(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self._record(params["Bucket"], params["Key"], _read(params.get("Body", b"")))
        return {"ETag": '"offline"'}

    def _upload_part(self, params: Mapping[str, Any]) -> dict[str, Any]:
        parts = self._parts.setdefault((params["Bucket"], params["Key"]), {})
        parts[params["PartNumber"]] = _read(params["Body"])
        return {"ETag": f'"{params["PartNumber"]}"'}

    def _complete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        parts = self._parts.pop((params["Bucket"], params["Key"]))
        self._record(params["Bucket"], params["Key"], b"".join(parts[number] for number in sorted(parts)))
        return {"Bucket": params["Bucket"], "Key": params["Key"]}

    def _record(self, bucket: str, key: str, content: bytes) -> None:
        if is_clutter(key):
            return
        content = normalise(key, content)
        digest = hashlib.sha256(content).hexdigest()
        path = self.staging / digest
        if not path.exists():
            _write_whole(path, content)
        meant = content_digest(key, content)
        origin = _uploader()
        earlier = self.recorded.get((bucket, key))
        if earlier is not None and earlier.content_sha256 != meant:
            both = f"first {self._origins[bucket, key]}, then {origin}"
            self.clashes.append(f"s3://{bucket}/{key} was uploaded twice, with different content: {both}")
        self._origins[bucket, key] = origin
        self.recorded[bucket, key] = RecordedObject(
            bucket, key, digest, path, by_sdk=not _user_uploads(), content_sha256=meant
        )


def user_frames(frames: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """Return the frames that are neither the interpreter's, nor an installed package's, nor ours."""
    return [
        traceback.FrameSummary(frame.filename, frame.lineno, frame.name)
        for frame in frames
        if is_user_file(frame.filename)
    ]


def is_user_file(filename: str) -> bool:
    """Say whether a file is neither the interpreter's, nor an installed package's, nor ours."""
    return not filename.startswith("<") and not filename.startswith(_MACHINERY)


def _user_line() -> str:
    frames = user_frames(traceback.extract_stack())
    return f"at {frames[-1].filename}:{frames[-1].lineno}" if frames else _sdk_place()


# What of the SDK a build function calls to upload something itself.
_UPLOAD_CALLS = {"upload", "upload_bytes", "upload_data", "upload_string_as_file_body"}


def _user_uploads() -> bool:
    """Whether a line of the user's asks for the upload, and not the SDK of itself on the way.

    What is called by the line is boto3, or a function of the SDK that does nothing but upload.
    """
    called: list[FrameType] = []
    for frame in _asking_frames():
        if is_user_file(frame.f_code.co_filename):
            break
        called.append(frame)
    else:
        return False
    of_the_sdk = [frame.f_code.co_name for frame in called if _is_of_the_sdk(frame)]
    return not of_the_sdk or of_the_sdk[-1] in _UPLOAD_CALLS


def _uploader() -> str:
    """Say who uploads: the step whose arguments are being written, or the user's line."""
    for frame in _asking_frames():
        if is_user_file(frame.f_code.co_filename):
            return f"at {frame.f_code.co_filename}:{frame.f_lineno}"
        if frame.f_code.co_name in {"arguments", "to_request"}:
            name = getattr(frame.f_locals.get("self"), "name", None)
            if isinstance(name, str):
                return f"for the step {name!r}"
    return "by the SDK itself"


def _asking_frames() -> Iterator[FrameType]:
    """Return the frames of the thread that asks, the innermost first.

    That is this one if a line of the user's is on the way to here; else it is one of boto3's, and the main
    thread waits for it.
    """
    own = list(_frames_of(threading.get_ident()))
    if any(is_user_file(frame.f_code.co_filename) for frame in own):
        return iter(own)
    return _frames_of(threading.main_thread().ident)


def _frames_of(thread: int | None) -> Iterator[FrameType]:
    frame = None if thread is None else sys._current_frames().get(thread)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_of_the_sdk(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "sagemaker"


def _sdk_place() -> str:
    """Say where a call comes from that no line of the user's is on the way to."""
    if threading.current_thread() is threading.main_thread():
        return "by the SDK itself while it wrote the definition"
    return "in a background thread"


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that there is never half of it: the processes that share its folder may be killed."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    aside.write_bytes(content)
    aside.replace(path)


def _read(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    content = body.read()
    return content.encode() if isinstance(content, str) else bytes(content)


def _model(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"ModelName": params["ModelName"], "CreationTime": _EPOCH}


def _simulate(params: Mapping[str, Any]) -> dict[str, Any]:
    results = [
        {"EvalActionName": action, "EvalDecision": "allowed", "EvalResourceName": "*"}
        for action in params.get("ActionNames", ())
    ]
    return {"EvaluationResults": results, "IsTruncated": False}
