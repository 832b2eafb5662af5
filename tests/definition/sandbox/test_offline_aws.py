"""The AWS that is not there keeps what is uploaded whole, and answers as the real one does."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scheduled_pipeline.definition.answers import AnswersError, read_answers
from scheduled_pipeline.definition.sandbox import offline_aws
from scheduled_pipeline.definition.sandbox.builder import _find_refusal, _memoised
from scheduled_pipeline.definition.sandbox.offline_aws import NetworkCallRefusedError, OfflineAws

CONTENT = bytes(range(256)) * 300
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OBJECT = {"Bucket": "recipes", "Key": "model.bin"}


def _put(aws: OfflineAws, content: bytes = CONTENT, key: str = "a.bin") -> Path:
    aws.answer("s3", "PutObject", {"Bucket": "b", "Key": key, "Body": content})
    return aws.recorded["b", key].staged_path


@pytest.mark.process
def test_a_write_that_is_killed_leaves_nothing_for_the_next_definition(tmp_path: Path) -> None:
    process = os.fork()
    if process == 0:
        write = Path.write_bytes

        def die_in_it(path: Path, content: bytes) -> int:
            write(path, content[:10])
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        Path.write_bytes = die_in_it  # type: ignore[assignment,method-assign]
        _put(OfflineAws(tmp_path))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    staged = _put(OfflineAws(tmp_path))
    assert staged == tmp_path / DIGEST
    assert staged.read_bytes() == CONTENT


def _with_object(folder: Path, content: bytes = CONTENT) -> OfflineAws:
    (folder / "model.bin").write_bytes(content)
    entry = {"call": "s3:GetObject", "parameters": OBJECT, "answer": "model.bin"}
    (folder / "answers.json").write_text(json.dumps([entry]))
    return OfflineAws(folder, answers=read_answers(folder / "answers.json"))


@pytest.mark.parametrize(
    ("asked", "part", "told"),
    [
        ("bytes=0-9", slice(0, 10), "bytes 0-9/76800"),
        ("bytes=76790-", slice(76790, None), "bytes 76790-76799/76800"),
        ("bytes=-10", slice(76790, None), "bytes 76790-76799/76800"),
        ("bytes=-100000", slice(None), "bytes 0-76799/76800"),
        ("bytes=76000-99999", slice(76000, None), "bytes 76000-76799/76800"),
        ("bytes=5-2", slice(None), None),
        ("lines=1-2", slice(None), None),
        (None, slice(None), None),
    ],
)
def test_a_part_of_an_object_is_what_is_asked_for(
    tmp_path: Path, asked: str | None, part: slice, told: str | None
) -> None:
    parameters = OBJECT if asked is None else {**OBJECT, "Range": asked}
    answer = _with_object(tmp_path).answer("s3", "GetObject", parameters)
    assert answer["Body"].read() == CONTENT[part]
    assert answer["ContentLength"] == len(CONTENT[part])
    assert answer.get("ContentRange") == told


@pytest.mark.parametrize(
    ("content", "asked"), [(b"", "bytes=0-"), (b"abc", "bytes=3-5"), (b"abc", "bytes=-0")]
)
def test_a_part_that_there_is_not_is_an_error_as_in_s3(tmp_path: Path, content: bytes, asked: str) -> None:
    aws = _with_object(tmp_path, content)
    with pytest.raises(ClientError, match=r"\(InvalidRange\) when calling the GetObject operation"):
        aws.answer("s3", "GetObject", {**OBJECT, "Range": asked})


def test_a_file_that_is_downloaded_in_parts_is_the_file(tmp_path: Path) -> None:
    import boto3
    from boto3.s3.transfer import TransferConfig

    client = boto3.client("s3", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    parts = TransferConfig(multipart_threshold=1 << 14, multipart_chunksize=1 << 14)
    with _with_object(tmp_path).installed():
        client.download_file("recipes", "model.bin", str(tmp_path / "got"), Config=parts)
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_what_is_answered_here_anyway_may_not_be_recorded(tmp_path: Path) -> None:
    """Those that are answered to one function of the SDK alone may be: others may ask, too."""
    reading = [
        f"{service}:{operation}"
        for service, operation in OfflineAws(tmp_path)._handlers()
        if operation.startswith(("Get", "Describe", "List")) and operation not in offline_aws._ANSWERED_TO
    ]
    assert reading == ["sts:GetCallerIdentity", "iam:GetRole"]
    for call in reading:
        entry = {"call": call, "parameters": {}, "answer": {}}
        (tmp_path / "answers.json").write_text(json.dumps([entry]))
        with pytest.raises(AnswersError, match=f"entry 0: {call} is answered without a file: "):
            read_answers(tmp_path / "answers.json")


def test_a_client_is_made_once_for_each_configuration() -> None:
    client = _memoised(lambda *args, **kwargs: object())
    assert client("s3", config=None) is client("s3", config=None)
    assert client("s3", config=Config(retries={"max_attempts": 1})) is client(
        "s3", config=Config(retries={"max_attempts": 1})
    )
    assert client("s3", config=Config(retries={"max_attempts": 2})) is not client("s3", config=None)


def test_a_refusal_is_found_in_errors_that_are_their_own_causes() -> None:
    refusal, outer = NetworkCallRefusedError("refused"), ValueError("outer")
    outer.__cause__ = outer
    assert _ends(outer) is None
    outer.__context__ = refusal
    assert _ends(outer) is refusal


def _ends(error: BaseException) -> Any:
    """Look for the refusal, and give up after a second."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        return _find_refusal(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
