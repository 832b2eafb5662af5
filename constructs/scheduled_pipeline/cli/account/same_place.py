"""The options with which another command reaches the same account and Region."""

from __future__ import annotations

import shlex

from scheduled_pipeline.cli.account.aws import Aws


def same_place(aws: Aws, profile: str | None) -> str:
    """The options, for a command that is printed for the operator.

    Args:
        aws: whom this command asks.
        profile: as this command was given it.
    """
    named = {"--region": aws.region, "--profile": profile, "--endpoint-url": aws.endpoint_url}
    return " ".join(f"{name} {shlex.quote(value)}" for name, value in named.items() if value)
