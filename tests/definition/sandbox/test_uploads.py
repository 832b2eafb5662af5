"""Uploads get keys made from their content, and the definition follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.model import DefinitionError, Upload
from scheduled_pipeline.definition.sandbox.uploads import RecordedObject, address_by_content

ASSETS = f"s3://{placeholders.ASSET_BUCKET}"


def _recorded(key: str, sha256: str = "aa", bucket: str = "b") -> RecordedObject:
    return RecordedObject(bucket=bucket, key=key, sha256=sha256, staged_path=Path(sha256))


def _address(definition: Any, *recorded: RecordedObject) -> tuple[Any, tuple[Upload, ...]]:
    return address_by_content(definition, recorded, "the test")


def test_a_definition_without_uploads_is_left_alone() -> None:
    assert _address("s3://b/x.py") == ("s3://b/x.py", ())


def test_a_file_keeps_its_name_behind_a_digest() -> None:
    text, (upload,) = _address("s3://b/hash/x.py", _recorded("hash/x.py"))
    assert text == f"{ASSETS}/{upload.digest}/x.py"
    assert [file.relative_path for file in upload.files] == [""]


@pytest.mark.parametrize("name", ["my script.py", "a,b.py", "café.py", "it's.py", "a;b.py", "日本.py"])
def test_a_name_may_have_any_letter(name: str) -> None:
    text, (upload,) = _address({"a": [f"s3://b/hash/{name}"]}, _recorded(f"hash/{name}"))
    assert text == {"a": [f"{ASSETS}/{upload.digest}/{name}"]}


def test_the_key_depends_on_the_content_and_not_on_the_place() -> None:
    first = _address("s3://b/one/x.py", _recorded("one/x.py", "aa"))[1][0].digest
    moved = _address("s3://b/two/x.py", _recorded("two/x.py", "aa"))[1][0].digest
    edited = _address("s3://b/one/x.py", _recorded("one/x.py", "bb"))[1][0].digest
    assert first == moved != edited


def test_the_key_depends_on_what_is_in_an_archive_and_not_on_its_bytes() -> None:
    entries = [
        RecordedObject("b", "x.tar.gz", sha256, Path(sha256), content_sha256="cc") for sha256 in ("aa", "bb")
    ]
    one, other = (_address("s3://b/x.tar.gz", entry)[1][0] for entry in entries)
    assert one.digest == other.digest
    assert [one.files[0].sha256, other.files[0].sha256] == ["aa", "bb"]


def test_a_folder_is_one_upload_whatever_the_order() -> None:
    objects = [_recorded("dir/b.py", "bb"), _recorded("dir/sub/a.py", "aa")]
    text, (upload,) = _address("s3://b/dir", *objects)
    assert [file.relative_path for file in upload.files] == ["b.py", "sub/a.py"]
    assert _address("s3://b/dir", *objects[::-1])[1] == (upload,)
    assert text == f"{ASSETS}/{upload.digest}/dir"


def test_a_folder_that_is_written_with_a_slash_keeps_it() -> None:
    text, (upload,) = _address("s3://b/dir/", _recorded("dir/a.py"))
    assert text == f"{ASSETS}/{upload.digest}/dir/"


def test_a_uri_inside_a_command_is_found() -> None:
    text, (upload,) = _address("aws s3 cp 's3://b/x.py' . && run s3://b/x.py", _recorded("x.py"))
    uri = f"{ASSETS}/{upload.digest}/x.py"
    assert text == f"aws s3 cp '{uri}' . && run {uri}"


def test_a_location_above_an_upload_stays_what_it_is() -> None:
    found, (upload,) = _address(["s3://b/job", "s3://b/job/code/x.py"], _recorded("job/code/x.py"))
    assert found == ["s3://b/job", f"{ASSETS}/{upload.digest}/x.py"]


def test_a_location_that_is_written_to_is_never_an_upload() -> None:
    definition = {"OutputDataConfig": {"S3OutputPath": "s3://b/job"}, "Code": "s3://b/job/x.py"}
    found, (upload,) = _address(definition, _recorded("job/x.py"))
    assert found == {**definition, "Code": f"{ASSETS}/{upload.digest}/x.py"}
    with pytest.raises(DefinitionError, match="no step reads it from there"):
        _address({"OutputDataConfig": {"S3OutputPath": "s3://b/job"}}, _recorded("job/x.py"))


def test_a_location_that_only_begins_like_an_upload_is_not_one() -> None:
    found, _ = _address(["s3://b/x.py.bak", "s3://b/x.py"], _recorded("x.py"))
    assert found[0] == "s3://b/x.py.bak"


def test_an_upload_that_nothing_reads_is_named() -> None:
    with pytest.raises(
        DefinitionError, match=r"^the test: s3://b/cfg/x\.py was uploaded, but no step reads it"
    ):
        _address("cfg/x.py", _recorded("cfg/x.py"))


def test_a_second_upload_of_the_same_file_may_go_unread() -> None:
    _, uploads = _address("s3://b/1/x.py", _recorded("1/x.py"), _recorded("time-stamp/x.py"))
    assert len(uploads) == 1


def test_an_upload_that_is_referred_to_twice_is_there_once() -> None:
    found, uploads = _address(["s3://b/x.py", "s3://b/x.py"], _recorded("x.py"))
    assert len(uploads) == 1
    assert found[0] == found[1] == uploads[0].placeholder_uri


def test_two_places_with_the_same_content_and_name_are_one_upload() -> None:
    _, uploads = _address(["s3://b/1/x.py", "s3://b/2/x.py"], _recorded("1/x.py"), _recorded("2/x.py"))
    assert len(uploads) == 1


def test_a_bucket_alone_is_never_an_upload() -> None:
    with pytest.raises(DefinitionError, match="no step reads it from there"):
        _address(["s3://b", "s3://b/"], _recorded("x.py"))
