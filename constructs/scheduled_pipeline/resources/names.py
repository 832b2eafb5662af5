"""Physical names: cut to length with a hash, and never twice in one account and Region."""

from __future__ import annotations

import hashlib
import re
from weakref import WeakKeyDictionary

from aws_cdk import Names
from constructs import Construct, IConstruct

from scheduled_pipeline.resources.jsii_cache import is_token, path_of, place_of

MAX_TRIGGER_NAME = 64
_MAX_DERIVED_PIPELINE_NAME = 63

_taken: WeakKeyDictionary[IConstruct, dict[tuple[str, str, str], str]] = WeakKeyDictionary()


def derived_pipeline_name(scope: Construct) -> str:
    """Return a name made from the construct's path, the same on every synth."""
    return Names.unique_resource_name(scope, max_length=_MAX_DERIVED_PIPELINE_NAME, separator="-")


def joined_pipeline_name(path: str) -> str:
    """Return a name made from a path, for which no construct is needed: its parts, and a hash of it."""
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    front = re.sub(r"[^a-zA-Z0-9]+", "-", path).strip("-")[: _MAX_DERIVED_PIPELINE_NAME - len(digest) - 1]
    return f"{front.rstrip('-')}-{digest}"


def derived_trigger_name(pipeline_name: str, key: str, *, place: str = "") -> str:
    """Return ``<pipeline>-<key>``, its front cut and a hash put in where that is over 64 characters.

    ``place`` is a schedule group that was made elsewhere, or nothing; its hash is put behind the key.
    CloudFormation cannot move a schedule to another group (https://github.com/aws/aws-cdk/issues/34216):
    with another name it makes a new schedule there and deletes the old one.
    """
    if place:
        key = f"{key}-{hashlib.sha256(place.encode()).hexdigest()[:6]}"
    name = f"{pipeline_name}-{key}"
    if len(name) <= MAX_TRIGGER_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    tail = f"-{digest}-{key[: MAX_TRIGGER_NAME // 2]}"
    return pipeline_name[: MAX_TRIGGER_NAME - len(tail)].rstrip("-") + tail


def claim(scope: Construct, kind: str, name: str, *, shown: str | None = None) -> None:
    """Note that ``scope`` uses a physical name; two of a kind in one place cannot both be deployed.

    A place is an account and a Region. Stacks without an account are compared within their stage
    only, because two stages may be deployed with the credentials of two accounts. ``shown`` is the name
    in errors, where names are compared in another form.

    Raises:
        ValueError: another construct of the app has the name already.
    """
    if is_token(name):
        return
    place = place_of(scope)
    account = f"stage {place.stage_path}" if is_token(place.account) else place.account
    region = "" if is_token(place.region) else place.region
    key = (kind, f"{account}/{region}", name)
    taken = _taken.setdefault(place.root, {})
    if key in taken:
        raise ValueError(
            f"{path_of(scope)}: the {kind} name {(shown or name)!r} is already taken by {taken[key]}; "
            "names must be unique in an account and Region"
        )
    taken[key] = path_of(scope)
