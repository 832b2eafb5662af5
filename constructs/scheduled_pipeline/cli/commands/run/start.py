"""Start a SageMaker pipeline by hand.

The parameters are checked against the pipeline's definition before anything is started: a name that it does
not have, a value of the wrong type or outside the allowed ones, and a parameter without a default that is
missing are errors. What is not given has the default of the definition.

The start carries a token, so that a call which is repeated because its answer was lost starts one run. Give
--token to do the same over several calls of this command: SageMaker answers with the run that the token
started.

With --wait the run is followed to its end. Each change of a step is a line on standard error, with UTC, the
step and its status. An interrupt (Ctrl-C) ends the command, not the run.

The ARN of the run is printed on standard output. With --json: an object with pipeline, arn, token,
parameters, status, failureReason, start, end and steps (each with name, status, start, end and
failureReason); without --wait the status is Executing and there are no steps.

Exit codes: 0, started, and with --wait succeeded; 1, the parameters do not fit; 2, wrong usage; 4, AWS
refused a call or could not be asked; 6, the run that was waited for failed or was stopped; 130, interrupted,
the run goes on.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account.aws import Aws, EndpointUrl, Profile, Region, same_place
from scheduled_pipeline.cli.account.aws_errors import AwsError, api_errors
from scheduled_pipeline.cli.account.runs import RunRecord, follow, moment_text
from scheduled_pipeline.cli.errors import CommandError, ExitCode
from scheduled_pipeline.cli.options import AsJson
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.start_parameters import check_parameters
from scheduled_pipeline.trigger.checks import MAXIMUM_PARAMETER_VALUE
from scheduled_pipeline.trigger.sagemaker_events import EXECUTING

TOKEN_LENGTHS = range(32, 129)
"""Of ``ClientRequestToken`` of StartPipelineExecution, in characters."""


class RunFailedError(CommandError):
    """The run that was waited for failed or was stopped."""

    exit_code: ClassVar[ExitCode] = ExitCode.RUN


def check_token(token: str | None) -> str | None:
    """A token that SageMaker takes.

    Raises:
        typer.BadParameter: when it is too short or too long.
    """
    if token is not None and len(token) not in TOKEN_LENGTHS:
        raise typer.BadParameter(f"must be 32 to 128 characters, got {len(token)}")
    return token


Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="NAME=VALUE",
        help="A parameter; repeat it for more. Default: as the definition has it.",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        callback=check_token, help="32 to 128 characters; one token starts one run. Default: a new one."
    ),
]


def start(
    pipeline: Annotated[str, typer.Argument(help="The pipeline's name or ARN.", show_default=False)],
    *,
    parameter: Parameters = None,
    display_name: Annotated[
        str | None, typer.Option(help="The run's display name. Default: SageMaker makes one.")
    ] = None,
    token: Token = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run to its end.")] = False,
    poll_seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="How long to wait between two looks at the run.")
    ] = 5.0,
    as_json: AsJson = False,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Check, start and, if asked, follow: see this module."""
    given = _parameters(parameter or ())
    aws = Aws.connect(profile=profile, region=region, endpoint_url=endpoint_url)
    client = aws.client("sagemaker")
    _check(client, pipeline, given)
    token = token or uuid.uuid4().hex
    run = _start(client, pipeline, given, token, display_name)
    if not as_json:
        printing.write(run.arn)
    if wait:
        run = _wait(client, run.arn, poll_seconds, f"{pipeline} {same_place(aws, profile)}")
    if as_json:
        printing.write(_to_json(run, pipeline, given, token))
    if run.failure is not None:
        raise RunFailedError(run.failure)


def _parameters(texts: Iterable[str]) -> dict[str, str]:
    """The parameters by name.

    Raises:
        typer.BadParameter: for one that is not ``NAME=VALUE``, or is given twice.
    """
    given: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"must be NAME=VALUE, got {text!r}", param_hint="'-p'")
        if name in given:
            raise typer.BadParameter(f"{name} is given more than once", param_hint="'-p'")
        given[name] = value
    return given


@api_errors()
def _check(client: Any, pipeline: str, given: Mapping[str, str]) -> None:
    """Check the parameters against the definition that a start takes, the latest.

    Raises:
        CommandError: they do not fit, or the definition cannot be read.
        AwsError: there is no such pipeline, or AWS refused the call.
    """
    text = client.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    try:
        declared = CompiledPipeline.from_document(json.loads(text), source=pipeline).parameters
        check_parameters(given, declared, pipeline)
    except ValueError as error:
        raise CommandError(str(error)) from None
    for name, value in given.items():
        if len(value) > MAXIMUM_PARAMETER_VALUE:
            allowed = f"at most {MAXIMUM_PARAMETER_VALUE} characters"
            raise CommandError(f"{pipeline}: parameter {name!r} must be {allowed}, got {len(value)}")
        if "<aws.scheduler." in value:
            raise CommandError(
                f"{pipeline}: parameter {name!r} must be a value, got {value!r}: only a schedule fills it in"
            )


@api_errors()
def _start(
    client: Any, pipeline: str, given: Mapping[str, str], token: str, display_name: str | None
) -> RunRecord:
    """Start the pipeline: ``sagemaker:StartPipelineExecution``.

    Raises:
        AwsError: AWS refused the call.
    """
    named = {} if display_name is None else {"PipelineExecutionDisplayName": display_name}
    answer = client.start_pipeline_execution(
        PipelineName=pipeline,
        ClientRequestToken=token,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in given.items()],
        **named,
    )
    return RunRecord(arn=answer["PipelineExecutionArn"], status=EXECUTING, display_name=display_name)


def _wait(client: Any, arn: str, poll_seconds: float, where: str) -> RunRecord:
    """Follow the run to its end.

    Raises:
        AwsError: AWS could not be asked any more.
        typer.Exit: the operator interrupted it.
    """
    goes_on = f"the run {arn} goes on; see it with: scheduled-pipeline runs {where}"
    try:
        return follow(client, arn, poll_seconds=poll_seconds, tell=_tell)
    except KeyboardInterrupt:
        typer.echo(f"Interrupted: {goes_on}", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except AwsError as error:
        raise AwsError(f"{error}; {goes_on}", code=error.code) from None


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _to_json(run: RunRecord, pipeline: str, given: Mapping[str, str], token: str) -> str:
    document = {
        "pipeline": pipeline,
        "arn": run.arn,
        "token": token,
        "parameters": dict(given),
        "status": run.status,
        "failureReason": run.failure_reason,
        "start": moment_text(run.start),
        "end": moment_text(run.end),
        "steps": [step.to_json() for step in run.steps],
    }
    return json.dumps(document, indent=2)
