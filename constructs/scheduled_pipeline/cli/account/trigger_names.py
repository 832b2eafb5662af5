"""How an operator names a schedule or a rule: its name, its group or bus with its name, or its ARN."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from scheduled_pipeline.cli.account import scan
from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.errors import CommandError

TriggerName = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name, GROUP/NAME or ARN.", show_default=False)
]

_SCHEDULE_ARN = re.compile(
    r"arn:[^:]+:scheduler:(?P<region>[^:]+):(?P<account>\d*):schedule/(?P<group>[^/]+)/(?P<name>.+)"
)
_RULE_ARN = re.compile(
    r"arn:[^:]+:events:(?P<region>[^:]+):(?P<account>\d*):rule/(?:(?P<bus>.+)/)?(?P<name>[^/]+)"
)


class NoTriggerError(CommandError):
    """No schedule and no rule of this name starts a pipeline."""


def find_trigger(aws: Aws, name: str, regions: Sequence[str] | None) -> tuple[TriggerRecord, ...]:
    """The records of one schedule or rule: a rule has one for each of its targets that is a pipeline.

    Args:
        aws: who asks.
        name: its name, its schedule group or event bus, a slash and its name, or its ARN.
        regions: where to look; an ARN is looked up in its own Region.

    Raises:
        NoTriggerError: there is none.
        CommandError: there are several, or it is the ARN of something else or of another account.
    """
    found = tuple(_find(aws, name, regions))
    by_arn = {record.arn: record for record in found}
    if not by_arn:
        raise NoTriggerError(
            f"no schedule and no rule {name} starts a SageMaker pipeline: try scheduled-pipeline list"
        )
    if len(by_arn) > 1:
        listed = ", ".join(f"{record} ({record.arn})" for record in by_arn.values())
        raise CommandError(f"{name} is the name of {len(by_arn)} triggers, name one by its ARN: {listed}")
    return found


def _find(aws: Aws, name: str, regions: Sequence[str] | None) -> Iterator[TriggerRecord]:
    if match := _SCHEDULE_ARN.fullmatch(name):
        _check_account(aws, name, match)
        yield from _schedule(aws, match["region"], match["group"], match["name"])
    elif match := _RULE_ARN.fullmatch(name):
        _check_account(aws, name, match)
        events = aws.client("events", match["region"])
        yield from scan.get_rule(events, match["bus"] or "default", match["name"])
    elif name.startswith("arn:"):
        raise CommandError(f"{name} is the ARN of neither a schedule nor a rule")
    else:
        # The name of a partner's event bus has slashes, that of a trigger has none.
        group, _, last = name.rpartition("/")
        if not scan.TRIGGER_NAME.fullmatch(last):
            return  # AWS would call it invalid, not unknown
        for region in aws.regions(regions):
            if group:
                yield from _schedule(aws, region, group, last)
                yield from scan.get_rule(aws.client("events", region), group, last)
            else:
                yield from scan.named(aws, region, last)


def _check_account(aws: Aws, arn: str, match: re.Match[str]) -> None:
    """Refuse an ARN of another account, where group and name would mean a trigger of this one.

    Raises:
        CommandError: naming both accounts.
    """
    own = aws.account(match["region"])
    if match["account"] != own:
        raise CommandError(f"{arn} is of another account: the credentials are of {own}, check --profile")


def _schedule(aws: Aws, region: str, group: str, name: str) -> Iterator[TriggerRecord]:
    found = scan.get_schedule(aws.client("scheduler", region), group, name)
    yield from () if found is None else (found,)
