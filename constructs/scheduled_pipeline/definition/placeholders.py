"""Texts that stand for what is only known when the stack is deployed.

Each has the shape of what it stands for, so that the SDK's own checks accept it, and is odd enough
never to occur in a definition by chance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

ACCOUNT = "985210347610"
ARTIFACT_BUCKET = "scheduled-pipeline-artifact-bucket-placeholder"
ASSET_BUCKET = "scheduled-pipeline-asset-bucket-placeholder"
_ROLE_NAME = "scheduled-pipeline-execution-role-placeholder"
_VALUE_PREFIX = "scheduled-pipeline-value-"
_KEY_PREFIX = "5c4ed01e-91be-"

ANY = rf"scheduled-pipeline-(artifact-bucket|asset-bucket|execution-role|value)-|{ACCOUNT}|{_KEY_PREFIX}"
"""A pattern that matches any placeholder, or most of one."""


def role(partition: str) -> str:
    """Return the placeholder of the execution role's ARN in ``partition``."""
    return f"arn:{partition}:iam::{ACCOUNT}:role/{_ROLE_NAME}"


def value(name: str) -> str:
    """Return the placeholder of the user's value ``name``; it also has the shape of a bucket's name."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20]
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{_VALUE_PREFIX}{slug}-{digest}"


def key_id(name: str) -> str:
    """Return the placeholder of the user's value ``name`` where that is the id of a KMS key."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{_KEY_PREFIX}{digest[:4]}-{digest[4:8]}-{digest[8:20]}"


def value_arn(name: str, partition: str) -> str:
    """Return the placeholder of the user's value ``name`` where that is the ARN of a resource."""
    return f"arn:{partition}:iam::{ACCOUNT}:role/{value(name)}"  # the SDK looks at those of roles only


def substitute(text: str, bindings: Mapping[str, str]) -> str:
    """Put what is bound in the place of every placeholder in ``text``.

    The longest placeholder wins where one contains another (the role's ARN contains the account).
    """
    if not bindings:
        return text
    longest_first = sorted(bindings, key=len, reverse=True)
    pattern = "|".join(re.escape(placeholder) for placeholder in longest_first)
    return re.sub(pattern, lambda match: bindings[match.group(0)], text)
