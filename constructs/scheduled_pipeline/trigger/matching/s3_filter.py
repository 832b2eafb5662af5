"""Which objects of S3 a pattern waits for: their buckets, and filters of their keys.

The events are those of https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html, and the calls
that CloudTrail records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduled_pipeline.tokens import holds_token
from scheduled_pipeline.trigger.checks import check_type
from scheduled_pipeline.trigger.matching.overlap import Overlap

_OBJECT_CREATED = "Object Created"
_CLOUDTRAIL = "AWS API Call via CloudTrail"
_WILDCARD = re.compile(r"(?<!\\)\*")
_URI = re.compile(r"s3://[^/]*/?")
_TOKEN = re.compile(r"\$\{Token\[")


def key_filter(prefix: str, suffix: str) -> dict[str, str] | None:
    """Return the filter of a key; with both ends a wildcard, since filters in a list are alternatives.

    Raises:
        ValueError: for ends that no key is likely to have: a URI, a slash in front, a ``*`` for any text.
    """
    for name, value in (("prefix", prefix), ("suffix", suffix)):
        check_type(name, value, str, "a string")
        _check_end(name, value)
    if prefix and suffix:
        return {"wildcard": f"{_literal(prefix)}*{_literal(suffix)}"}
    if prefix:
        return {"prefix": prefix}
    return {"suffix": suffix} if suffix else None


def _check_end(name: str, value: str) -> None:
    bare = _URI.sub("", value, count=1)
    if bare != value:
        raise ValueError(
            f"{name} must be part of a key, without bucket, got {value!r}: write {name}={bare!r} and "
            "bucket_name="
        )
    if name == "prefix" and value.startswith("/"):
        raise ValueError(
            f"prefix must be what a key begins with, got {value!r}: keys begin without a slash, write "
            f"prefix={value.lstrip('/')!r}"
        )
    if "*" in value:
        raise ValueError(
            f"{name} must be taken as it is, without *, got {value!r}: {_without_wildcard(name, value)}"
        )


def _without_wildcard(name: str, value: str) -> str:
    before, _, after = value.partition("*")
    ends = {"prefix": before, "suffix": after.lstrip("*")}
    if "*" in ends["suffix"]:
        return 'use EventTrigger.pattern with {"wildcard": ...}'
    wanted = " and ".join(f"{end}={text!r}" for end, text in ends.items() if text)
    return f"write {wanted}" if wanted else f"leave {name} out"


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*")


@dataclass(frozen=True, kw_only=True)
class WrittenKeys:
    """Keys that something writes.

    Attributes:
        prefix: what they all begin with.
        exact: whether it is one key, all of it.
        endings: what each of them ends with one of; none where that is not known.
    """

    prefix: str
    exact: bool = False
    endings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeyFilter:
    """What a key must be like.

    Attributes:
        prefix: what it begins with.
        suffix: what it ends with.
        exact: whether ``prefix`` is all of it.
        whole: whether that is all there is to it; if not, more is asked of a key.
    """

    prefix: str = ""
    suffix: str = ""
    exact: bool = False
    whole: bool = True

    def overlap(self, written: WrittenKeys) -> Overlap:
        """Whether it lets written keys through."""
        found = min(self._of_beginning(written), self._of_end(written))
        return found if self.whole else min(found, Overlap.POSSIBLE)

    def _of_beginning(self, written: WrittenKeys) -> Overlap:
        one, other = self.prefix, written.prefix
        if one == other or (other.startswith(one) and not self.exact):
            return Overlap.CERTAIN if not self.exact or written.exact else Overlap.POSSIBLE
        late = holds_token(one) or holds_token(other)
        one, other = (_TOKEN.split(text)[0] if late else text for text in (one, other))
        open_end = one.startswith(other) and (late or not written.exact)
        return Overlap.POSSIBLE if open_end or (late and other.startswith(one)) else Overlap.NEVER

    def _of_end(self, written: WrittenKeys) -> Overlap:
        endings = (written.prefix,) if written.exact else written.endings
        if not self.suffix or any(ending.endswith(self.suffix) for ending in endings):
            return Overlap.CERTAIN
        late = holds_token(self.suffix) or any(map(holds_token, endings))
        longer = not written.exact and any(self.suffix.endswith(ending) for ending in endings)
        return Overlap.POSSIBLE if late or not endings or longer else Overlap.NEVER


@dataclass(frozen=True, kw_only=True)
class WatchedObjects:
    """The objects whose creation a pattern waits for.

    Attributes:
        buckets: their names; none where any bucket will do, or where the pattern does not name them.
        named: whether ``buckets`` are all that it lets through.
        keys: the filters, of which one has to let a key through.
        narrowed: whether the pattern asks for more than buckets and keys.
    """

    buckets: tuple[str, ...]
    named: bool
    keys: tuple[KeyFilter, ...]
    narrowed: bool

    def overlap(self, written: WrittenKeys) -> Overlap:
        """Whether it lets keys through that something writes to one of the buckets."""
        found = max(one.overlap(written) for one in self.keys)
        return min(found, Overlap.POSSIBLE) if self.narrowed else found


def watched_objects(pattern: Mapping[str, object] | None) -> WatchedObjects | None:
    """Read a pattern; nothing for one that waits for no new object."""
    pattern = pattern or {}
    kinds = pattern.get("detail-type", [_OBJECT_CREATED])
    if not _has(pattern.get("source"), "aws.s3"):
        return None
    if _has(kinds, _OBJECT_CREATED):
        return _watched(pattern, ("bucket", "name"), ("object", "key"))
    if _has(kinds, _CLOUDTRAIL):
        return _watched(pattern, ("requestParameters", "bucketName"), ("requestParameters", "key"))
    return None


def _watched(pattern: Mapping[str, object], bucket: tuple[str, str], key: tuple[str, str]) -> WatchedObjects:
    detail = pattern.get("detail")
    detail = detail if isinstance(detail, Mapping) else {}
    leaves = dict(_leaves(detail))
    names = leaves.pop(bucket, None)
    filters = leaves.pop(key, [{"prefix": ""}])
    if names is None:
        arns = pattern.get("resources")
        names = [
            one.rpartition(":::")[2] if isinstance(one, str) else one
            for one in (arns if isinstance(arns, list) else [])
        ]
    texts = tuple(name for name in names if isinstance(name, str))
    return WatchedObjects(
        buckets=texts,
        named=bool(texts) and len(texts) == len(names),
        keys=tuple(_key_filter(one) for one in filters),
        narrowed=bool(leaves) or bool(pattern.keys() - {"source", "detail-type", "detail", "resources"}),
    )


def _leaves(
    node: Mapping[str, object], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Sequence[object]]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield (*path, name), value


def _key_filter(one: object) -> KeyFilter:
    if isinstance(one, str):
        return KeyFilter(prefix=one, exact=True)
    kind, value = next(iter(one.items())) if isinstance(one, Mapping) and one else ("", None)
    if not isinstance(value, str):
        return KeyFilter(whole=False)
    if kind in ("prefix", "suffix"):
        return KeyFilter(prefix=value) if kind == "prefix" else KeyFilter(suffix=value)
    if kind == "wildcard":
        first, *others = (_unescaped(part) for part in _WILDCARD.split(value))
        if not others:
            return KeyFilter(prefix=first, exact=True)
        return KeyFilter(prefix=first, suffix=others[-1], whole=len(others) == 1)
    return KeyFilter(whole=False)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _has(values: object, value: str) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, str) and value in values
