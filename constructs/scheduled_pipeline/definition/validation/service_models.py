"""The shapes of AWS's APIs, as botocore has them, and those of the definition's own format."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from scheduled_pipeline.definition.validation import definition_format

Shape = Mapping[str, Any]


class Located(NamedTuple):
    """A shape and the service that the names in it belong to."""

    service: str
    name: str
    shape: Shape


@cache
def find(reference: str, service: str = definition_format.SERVICE) -> Located:
    """Return the shape called ``Name`` in ``service``, or ``other-service:Name`` in another one.

    A shape of the format that is written as ``like`` an API's is that API's with the differences applied.
    """
    named, colon, name = reference.partition(":")
    if not colon:
        named, name = service, reference
    shape = _shapes(named)[name]
    if "like" not in shape:
        return Located(named, name, shape)
    original = find(shape["like"])
    absent = {*shape.get("without", ()), *shape.get("filled_in", ())}
    members = {
        member: _qualified(entry, original.service)
        for member, entry in {**original.shape["members"], **shape.get("members", {})}.items()
        if member not in shape.get("without", ())
    }
    derived = {
        **original.shape,
        "members": members,
        "required": [
            *(member for member in original.shape.get("required", ()) if member not in absent),
            *shape.get("needed", ()),
        ],
        "one_of": shape.get("one_of", ()),
    }
    return Located(original.service, original.name, derived)


@cache
def pattern_of(pattern: str) -> re.Pattern[str] | None:
    r"""Compile a pattern of an API, or return None if Python cannot.

    They are written for Java; of those in SageMaker's model ten use what Python has not, such as ``\p{L}``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return re.compile(pattern, re.ASCII)
        except re.error:
            return None


def load_ahead() -> None:
    """Read the model that every definition needs, while there is nothing else to do."""
    _shapes("sagemaker")


def _qualified(entry: Shape, service: str) -> Shape:
    reference = entry["shape"]
    return entry if ":" in reference else {"shape": f"{service}:{reference}"}


@cache
def _shapes(service: str) -> Mapping[str, Shape]:
    """Return the shapes of a service, read once a process; SageMaker's model takes about 0.1 s."""
    if service == definition_format.SERVICE:
        return definition_format.SHAPES
    from botocore.loaders import Loader

    # Without the user's own models in ~/.aws/models, so that every machine says the same.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    model = loader.load_service_model(service, "service-2")
    shapes: Mapping[str, Shape] = model["shapes"]
    return shapes
