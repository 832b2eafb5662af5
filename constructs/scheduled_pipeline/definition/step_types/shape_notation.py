"""Short ways to write shapes as botocore has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Shape = Mapping[str, Any]


def structure(members: Mapping[str, str], required: Sequence[str] = (), **more: Any) -> Shape:
    """Make the shape of an object; ``members`` gives the shape of each by name."""
    return {
        "type": "structure",
        "members": {name: {"shape": shape} for name, shape in members.items()},
        "required": list(required),
        **more,
    }


def list_of(member: str, **limits: int) -> Shape:
    """Make the shape of a list."""
    return {"type": "list", "member": {"shape": member}, **limits}


def enum(*values: str) -> Shape:
    """Make the shape of a string that is one of ``values``."""
    return {"type": "string", "enum": list(values)}


def like(shape: str, *, filled_in: Sequence[str] = (), without: Sequence[str] = (), **more: Any) -> Shape:
    """Make the shape of an API's request.

    ``filled_in`` are the required members that the service gives, ``without`` those it does not take;
    ``members`` have another shape, and those of ``needed`` are required all the same.
    """
    members = {name: {"shape": member} for name, member in more.pop("members", {}).items()}
    return {"like": shape, "filled_in": filled_in, "without": without, "members": members, **more}
