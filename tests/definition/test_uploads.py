"""Uploads get keys made from their content, and the definition follows."""

from __future__ import annotations

from pathlib import Path

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.uploads import RecordedObject, address_by_content

ASSETS = f"s3://{placeholders.ASSET_BUCKET}"


def _recorded(key: str, sha256: str = "aa", bucket: str = "b") -> RecordedObject:
    return RecordedObject(bucket=bucket, key=key, sha256=sha256, staged_path=Path(sha256))


def test_a_definition_without_uploads_is_left_alone() -> None:
    assert address_by_content('"s3://b/x.py"', []) == ('"s3://b/x.py"', ())


def test_a_file_keeps_its_name_behind_a_digest() -> None:
    text, (upload,) = address_by_content('"s3://b/hash/x.py"', [_recorded("hash/x.py")])
    assert text == f'"{ASSETS}/{upload.digest}/x.py"'
    assert [file.relative_path for file in upload.files] == [""]


def test_the_key_depends_on_the_content_and_not_on_the_place() -> None:
    first = address_by_content('"s3://b/one/x.py"', [_recorded("one/x.py", "aa")])[1][0].digest
    moved = address_by_content('"s3://b/two/x.py"', [_recorded("two/x.py", "aa")])[1][0].digest
    edited = address_by_content('"s3://b/one/x.py"', [_recorded("one/x.py", "bb")])[1][0].digest
    assert first == moved != edited


def test_a_folder_is_one_upload_whatever_the_order() -> None:
    objects = [_recorded("dir/b.py", "bb"), _recorded("dir/sub/a.py", "aa")]
    text, (upload,) = address_by_content('"s3://b/dir"', objects)
    assert [file.relative_path for file in upload.files] == ["b.py", "sub/a.py"]
    assert address_by_content('"s3://b/dir"', objects[::-1])[1] == (upload,)
    assert text == f'"{ASSETS}/{upload.digest}/dir"'


def test_a_folder_that_is_written_with_a_slash_keeps_it() -> None:
    text, (upload,) = address_by_content('"s3://b/dir/"', [_recorded("dir/a.py")])
    assert text == f'"{ASSETS}/{upload.digest}/dir/"'


def test_an_output_location_above_an_upload_stays_what_it_is() -> None:
    text, (upload,) = address_by_content('"s3://b/job" "s3://b/job/code/x.py"', [_recorded("job/code/x.py")])
    assert text == f'"s3://b/job" "{ASSETS}/{upload.digest}/x.py"'


def test_a_location_that_only_begins_like_an_upload_is_not_one() -> None:
    text, _ = address_by_content('"s3://b/x.py.bak" "s3://b/x.py"', [_recorded("x.py")])
    assert '"s3://b/x.py.bak"' in text


def test_an_upload_that_nothing_refers_to_is_left_out() -> None:
    assert address_by_content('"s3://b/other"', [_recorded("x.py")]) == ('"s3://b/other"', ())


def test_an_upload_that_is_referred_to_twice_is_there_once() -> None:
    text, uploads = address_by_content('"s3://b/x.py" "s3://b/x.py"', [_recorded("x.py")])
    assert len(uploads) == 1
    assert text.count(ASSETS) == 2


def test_two_places_with_the_same_content_and_name_are_one_upload() -> None:
    _, uploads = address_by_content(
        '"s3://b/1/x.py" "s3://b/2/x.py"', [_recorded("1/x.py"), _recorded("2/x.py")]
    )
    assert len(uploads) == 1


def test_a_bucket_alone_is_never_an_upload() -> None:
    assert address_by_content('"s3://b" "s3://b/"', [_recorded("x.py")]) == ('"s3://b" "s3://b/"', ())
