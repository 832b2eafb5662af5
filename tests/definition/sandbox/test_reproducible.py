"""What the SDK packs does not depend on the machine or the day."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from scheduled_pipeline.definition.project import is_clutter
from scheduled_pipeline.definition.sandbox.reproducible import content_digest, normalise


def _archive(folder: Path, *names: str, mtime: int = 0) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name, encoding="utf-8")
            member = archive.gettarinfo(str(path), arcname=name)
            member.mtime, member.uname, member.uid = mtime, f"user{mtime}", mtime
            with path.open("rb") as content:
                archive.addfile(member, content)
    return packed.getvalue()


def test_two_archives_of_the_same_files_become_the_same_bytes(tmp_path: Path) -> None:
    one = _archive(tmp_path / "one", "a.py", "b/c.py", mtime=1)
    other = _archive(tmp_path / "other", "b/c.py", "a.py", mtime=2)
    assert one != other
    assert normalise("x/sourcedir.tar.gz", one) == normalise("x/sourcedir.tar.gz", other)


def test_an_archive_keeps_its_files_and_what_may_be_run(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("run.sh", encoding="utf-8")
    (tmp_path / "run.sh").chmod(0o700)
    content = normalise("x.tar.gz", _archive(tmp_path, "a.py", "run.sh"))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert {member.name: member.mode for member in archive} == {"a.py": 0o644, "run.sh": 0o755}
        file = archive.extractfile("a.py")
        assert file is not None
        assert file.read() == b"a.py"


def test_an_archive_loses_byte_code(tmp_path: Path) -> None:
    content = normalise("x.tar.gz", _archive(tmp_path, "a.py", "__pycache__/a.pyc"))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames() == ["a.py"]


def test_an_archive_that_was_made_with_care_is_left_alone() -> None:
    content = gzip.compress(b"not even a tar", mtime=0)
    assert normalise("model.tar.gz", content) is content


@pytest.mark.parametrize("content", [gzip.compress(b"not a tar", mtime=1), b"not even gzip"])
def test_what_only_looks_like_an_archive_is_left_alone(content: bytes) -> None:
    assert normalise("model.tar.gz", content) is content


def test_an_archive_that_is_cut_off_or_damaged_is_left_alone(tmp_path: Path) -> None:
    whole = _archive(tmp_path, "a.py", "b.py")
    damaged = whole[:40] + b"\xff" * 20 + whole[60:]
    wrong_sum = whole[:-8] + bytes(4) + whole[-4:]
    for content in (whole[:-10], whole[:50], whole[:12], damaged, wrong_sum):
        assert normalise("model.tar.gz", content) is content
        assert content_digest("model.tar.gz", content) == hashlib.sha256(content).hexdigest()


def test_an_archive_is_known_by_what_is_in_it_and_not_by_how_it_is_packed(tmp_path: Path) -> None:
    """Another zlib, such as zlib-ng, makes other bytes of the same content."""
    packed = normalise("x.tar.gz", _archive(tmp_path, "a.py"))
    otherwise = gzip.compress(gzip.decompress(packed), compresslevel=1, mtime=0)
    assert packed != otherwise
    assert content_digest("x.tar.gz", packed) == content_digest("x.tar.gz", otherwise)
    changed = normalise("x.tar.gz", _archive(tmp_path, "a.py", "b.py"))
    assert content_digest("x.tar.gz", packed) != content_digest("x.tar.gz", changed)
    assert content_digest("x.gz", packed) != content_digest("x.gz", otherwise), "its bytes are what it is"


def test_other_files_are_left_alone() -> None:
    assert normalise("a.py", b"x") == b"x"


def test_the_trainers_settings_name_the_folder_without_its_place() -> None:
    settings = json.dumps({"source_dir": "/home/me/project/code", "entry_script": "train.py"}).encode()
    found = json.loads(normalise("job/input/sm_drivers/sourcecode.json", settings))
    assert found == {"source_dir": "code", "entry_script": "train.py"}


@pytest.mark.parametrize(
    ("path", "clutter"),
    [
        ("a/__pycache__/b.pyc", True),
        (".DS_Store", True),
        ("a/.ipynb_checkpoints/x", True),
        ("a/pycache.py", False),
    ],
)
def test_by_products_are_known(path: str, clutter: bool) -> None:
    assert is_clutter(path) is clutter
