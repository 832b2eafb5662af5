"""Write what starts a pipeline, and no stack owns, as Python code for ScheduledPipeline.

Reads the schedules and the rules of an account that start the pipeline and that no CloudFormation stack owns:
made by hand, or by the SageMaker SDK's put_triggers. Prints Python code with schedules and events that start
the pipeline the same. Nothing is changed. What cannot be kept is said in the comments of the code; what has
to be done next, and the commands that delete the old ones, are on standard error.

AWS refuses a start date that is past. A rate then begins with the first run of its rhythm a day from now.

With --handover the new schedules begin at that moment, a rate with the first run of its rhythm from then on,
and rules are written disabled, since they have no start date. Delete the old ones shortly before.

With --json: an object with pipeline, region, handover, code, adopted (each with kind, group, name, key,
argument and notes), leftOut (each with kind, group, name, reason and spent), firstRun, steps and commands.

Exit codes: 0, all is written or need not be; 1, some triggers that still run are left out, each is named on
standard error; 2, wrong usage; 4, AWS refused a call, or there is neither such a pipeline nor what starts it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Region, same_place
from scheduled_pipeline.cli.account.aws_errors import api_errors
from scheduled_pipeline.cli.account.owners import read_owners
from scheduled_pipeline.cli.account.runs import moment_text
from scheduled_pipeline.cli.account.scan import Progress, scan
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.adoption.adoption import Adoption, LeftOut, adopt_triggers
from scheduled_pipeline.cli.adoption.instructions import delete_commands, first_run, numbered, steps, summary
from scheduled_pipeline.cli.errors import ExitCode, UsageError
from scheduled_pipeline.cli.options import AsJson, parse_after
from scheduled_pipeline.cli.terminal import progress
from scheduled_pipeline.trigger.start_target import PIPELINE_ARN

Handover = Annotated[
    datetime | None,
    typer.Option(
        parser=parse_after,
        metavar="ISO8601",
        help="When the new schedules begin; without an offset it is UTC. Default: at once.",
    ),
]


def adopt(
    pipeline: Annotated[str, typer.Argument(help="The pipeline's name or ARN.", show_default=False)],
    *,
    handover: Handover = None,
    as_json: AsJson = False,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Read the account and write the code: see this module."""
    now = datetime.now(UTC).replace(microsecond=0)
    if handover is not None and handover <= now:
        raise typer.BadParameter(
            f"must be in the future, got {moment_text(handover)}", param_hint="'--handover'"
        )
    with api_errors(), progress(quiet=as_json) as show:
        aws = Aws.connect(profile=profile, region=region, endpoint_url=endpoint_url)
        pipeline = _name(aws, pipeline)
        found = _find(aws, pipeline, show)
        unowned, refused = _without_owner(aws, found, show) if found else ([], [])
    adoption = adopt_triggers(unowned, pipeline=pipeline, now=now, handover=handover, refused=refused)
    if as_json:
        printing.write(_to_json(adoption, aws, now, handover, same_place(aws, profile)))
    elif adoption.adopted or adoption.left_out:
        printing.write(adoption.source.rstrip("\n"))
        _explain(adoption, aws, now, handover, same_place(aws, profile))
    else:
        owned = "a stack owns all that starts it" if found else "nothing starts it"
        typer.echo(f"There is nothing to adopt of {pipeline} in {aws.region}: {owned}.", err=True)
    if any(not one.spent for one in adoption.left_out):
        raise typer.Exit(ExitCode.REFUSED)


def _name(aws: Aws, pipeline: str) -> str:
    """The name of a pipeline of which the name or the ARN is given.

    Raises:
        UsageError: the ARN is of another Region or account than those that are asked.
    """
    arn = PIPELINE_ARN.fullmatch(pipeline)
    if arn is None:
        return pipeline
    if arn["region"] != aws.region:
        raise UsageError(f"{pipeline} is of another Region than {aws.region}: add --region {arn['region']}")
    if arn["account"] != (own := aws.account()):
        raise UsageError(f"{pipeline} is of another account: the credentials are of {own}, check --profile")
    return arn["name"]


def _find(aws: Aws, pipeline: str, show: Progress) -> list[TriggerRecord]:
    """Return all triggers of the pipeline; an error if there are none and no such pipeline."""
    records = scan(aws, aws.region, details=True, progress=show)
    found = [record for record in records if _starts(record, pipeline)]
    if not found:
        aws.client("sagemaker").describe_pipeline(PipelineName=pipeline)
    return found


def _starts(record: TriggerRecord, pipeline: str) -> bool:
    """Whether a trigger starts the pipeline of this name in the trigger's account and Region."""
    started = record.pipeline
    own = (record.account, record.region, pipeline.lower())
    return started is not None and started.key == own


def _without_owner(
    aws: Aws, found: list[TriggerRecord], show: Progress
) -> tuple[list[TriggerRecord], list[LeftOut]]:
    """Return the triggers that no stack owns, and those whose owner is not known."""
    owners = read_owners(aws, aws.region, show)
    unowned, unknown = [], []
    for record in found:
        owner = owners.of(record)
        if owner is None:
            unowned.append(record)
        elif not owner.certain:
            reason = f"the stack {owner.name} owns a schedule of this name, in a group that it does not tell"
            unknown.append(LeftOut(record=record, reason=reason))
    return unowned, unknown


def _explain(adoption: Adoption, aws: Aws, now: datetime, handover: datetime | None, options: str) -> None:
    for line in _explanation(adoption, aws.region, now, handover, options):
        typer.echo(line, err=True)


def _explanation(
    adoption: Adoption, region: str, now: datetime, handover: datetime | None, options: str
) -> Iterator[str]:
    yield summary(adoption, region)
    for one in adoption.adopted:
        yield from (f"{one.record.kind} {one.record.path}: {note}" for note in one.notes)
    for left in adoption.left_out:
        yield f"{'' if left.spent else 'Error: '}{left.record} is left out: {left.reason}"
    if adoption.adopted:
        yield from numbered(steps(adoption, now=now, handover=handover, options=options))
        yield from delete_commands(adoption, options=options)


def _to_json(adoption: Adoption, aws: Aws, now: datetime, handover: datetime | None, options: str) -> str:
    document = {
        "pipeline": adoption.pipeline,
        "region": aws.region,
        "handover": moment_text(handover),
        "code": adoption.source,
        "adopted": [
            {**_identity(one.record), "key": one.key, "argument": one.argument, "notes": list(one.notes)}
            for one in adoption.adopted
        ],
        "leftOut": [
            {**_identity(one.record), "reason": one.reason, "spent": one.spent} for one in adoption.left_out
        ],
        "firstRun": moment_text(first_run(adoption, now)),
        "steps": list(steps(adoption, now=now, handover=handover, options=options)),
        "commands": list(delete_commands(adoption, options=options)),
    }
    return json.dumps(document, indent=2)


def _identity(record: TriggerRecord) -> dict[str, str]:
    return {"kind": record.kind, "group": record.group, "name": record.name}
