"""Take out of an uploaded file what differs from machine to machine and from day to day."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
import zlib
from pathlib import PurePosixPath

from scheduled_pipeline.definition.project import is_clutter

SOURCE_FOLDER = "code"
"""What stands for the folder on this machine that the code of a step comes from."""

_ARCHIVES = (".tar.gz", ".tgz")
_GZIP_MAGIC = b"\x1f\x8b"
# What reading an archive that is cut off or damaged raises; ``gzip`` has an OSError for a wrong checksum.
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error)


def normalise(key: str, content: bytes) -> bytes:
    """Return ``content`` without time stamps, owners or local paths, if the SDK is what puts them there."""
    if key.endswith(_ARCHIVES):
        return _normalise_archive(content)
    if PurePosixPath(key).parts[-2:] == ("sm_drivers", "sourcecode.json"):
        return _normalise_source_code(content)
    return content


def content_digest(key: str, content: bytes) -> str:
    """Return the SHA-256 that an uploaded file is known by: for an archive, of what is in it.

    The bytes of the archive itself are those of one build of zlib; zlib-ng, for example, makes others.
    """
    if key.endswith(_ARCHIVES):
        with contextlib.suppress(*_DAMAGE), gzip.open(io.BytesIO(content)) as unpacked:
            return hashlib.file_digest(unpacked, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()


def _normalise_archive(content: bytes) -> bytes:
    """Re-pack an archive without clock, owner, order or clutter.

    One that has no time stamp in its gzip header (bytes 4 to 8, RFC 1952) was made with care and
    is left alone; ``tarfile`` and ``gzip`` always write one.
    """
    if content[:2] != _GZIP_MAGIC or content[4:8] == b"\0\0\0\0":
        return content
    try:
        return _repack(content)
    except _DAMAGE:
        return content


def _normalise_source_code(content: bytes) -> bytes:
    """Name the folder in ``ModelTrainer``'s copy of its ``SourceCode`` alike; no container reads it."""
    settings = json.loads(content)
    if settings.get("source_dir"):
        settings["source_dir"] = SOURCE_FOLDER
    return json.dumps(settings).encode()


def _repack(content: bytes) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.open(io.BytesIO(content)) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r:") as source,
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as target,
    ):
        members = sorted(source.getmembers(), key=lambda member: member.name)
        while unpacked.read(1 << 20):
            pass  # to the checksum at the end, which `tarfile` does not read
        for member in members:
            if is_clutter(member.name):
                continue
            member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            target.addfile(member, source.extractfile(member) if member.isreg() else None)
    return packed.getvalue()
