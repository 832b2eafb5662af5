import socket
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.stub import Stubber
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import AwsError, NotFoundError, api_errors, note_calls

USER = "User: arn:aws:sts::111122223333:assumed-role/Viewer/ann is not authorized to perform:"
SIGNED = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}

REFUSALS = [
    (
        ("scheduler", "list_schedules", {}),
        ("AccessDeniedException", f"{USER} scheduler:ListSchedules on resource: arn:aws:scheduler:::*"),
        (
            "access denied: the permission scheduler:ListSchedules is missing in eu-west-1: "
            f"{USER} scheduler:ListSchedules on resource: arn:aws:scheduler:::*"
        ),
    ),
    (
        ("events", "list_rules", {}),
        ("AccessDeniedException", ""),
        "access denied: the permission events:ListRules is missing in eu-west-1",
    ),
    (
        ("sagemaker", "start_pipeline_execution", {"PipelineName": "P", "ClientRequestToken": "t" * 32}),
        ("AccessDeniedException", f"{USER} iam:PassRole on resource: role"),
        (
            "access denied: the permission iam:PassRole is missing in eu-west-1: "
            f"{USER} iam:PassRole on resource: role"
        ),
    ),
    (
        ("cloudformation", "list_stacks", {}),
        ("AccessDenied", f"{USER} cloudformation:ListStacks"),
        (
            "access denied: the permission cloudformation:ListStacks is missing in eu-west-1: "
            f"{USER} cloudformation:ListStacks"
        ),
    ),
    (
        ("scheduler", "list_schedules", {}),
        ("ExpiredTokenException", "The security token included in the request is expired"),
        "scheduler:ListSchedules in eu-west-1: the AWS credentials have expired: sign in again",
    ),
    (
        ("sagemaker", "list_pipelines", {}),
        ("UnrecognizedClientException", "The security token included in the request is invalid."),
        (
            "sagemaker:ListPipelines in eu-west-1: AWS does not know the credentials (The security token "
            "included in the request is invalid): check the profile, and that the account has the Region "
            "enabled"
        ),
    ),
    (
        ("cloudformation", "list_stacks", {}),
        ("InvalidClientTokenId", "The security token included in the request is invalid."),
        (
            "cloudformation:ListStacks in eu-west-1: AWS does not know the credentials (The security token "
            "included in the request is invalid): check the profile, and that the account has the Region "
            "enabled"
        ),
    ),
    (
        ("events", "list_rules", {}),
        ("ThrottlingException", "Rate exceeded"),
        "events:ListRules in eu-west-1: AWS throttled the calls, and retries did not help: try again later",
    ),
    (
        ("scheduler", "get_schedule", {"Name": "x"}),
        ("ResourceNotFoundException", "Schedule x does not exist."),
        "scheduler:GetSchedule in eu-west-1: not found: Schedule x does not exist",
    ),
    (
        ("sagemaker", "describe_pipeline", {"PipelineName": "x"}),
        ("ResourceNotFound", "Pipeline 'x' does not exist."),
        "sagemaker:DescribePipeline in eu-west-1: not found: Pipeline 'x' does not exist",
    ),
    (
        ("scheduler", "list_schedules", {}),
        ("ValidationException", "Invalid NextToken."),
        "scheduler:ListSchedules in eu-west-1: Invalid NextToken (ValidationException)",
    ),
    (
        ("scheduler", "list_schedules", {}),
        ("InternalServerException", ""),
        "scheduler:ListSchedules in eu-west-1: no reason given (InternalServerException)",
    ),
]


@pytest.mark.parametrize(("call", "answer", "sentence"), REFUSALS)
def test_every_refusal_is_one_sentence(
    call: tuple[str, str, dict[str, str]], answer: tuple[str, str], sentence: str
) -> None:
    service, operation, arguments = call
    client = note_calls(boto3.client(service, **SIGNED))
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, service_error_code=answer[0], service_message=answer[1])
        with pytest.raises(AwsError) as raised, api_errors():
            getattr(client, operation)(**arguments)
    assert str(raised.value) == sentence
    assert raised.value.code == answer[0]
    assert raised.value.exit_code == 4
    assert isinstance(raised.value, NotFoundError) == ("not found" in sentence)


FAILURES = [
    (
        exceptions.NoCredentialsError(),
        "there are no AWS credentials: name a profile with --profile, or sign in with aws sso login",
    ),
    (
        exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        "the AWS credentials are incomplete: AWS_SECRET_ACCESS_KEY is missing",
    ),
    (
        exceptions.CredentialRetrievalError(provider="custom-process", error_msg="exit status 1"),
        "the AWS credentials cannot be had: exit status 1",
    ),
    (
        exceptions.MetadataRetrievalError(error_msg="no answer"),
        "Error retrieving metadata: no answer",
    ),
    (exceptions.NoRegionError(), "no Region: name one with --region, or set AWS_REGION"),
    (exceptions.ProfileNotFound(profile="nobody"), "there is no profile nobody in the AWS config"),
    (
        exceptions.ReadTimeoutError(endpoint_url="https://x"),
        "https://x did not answer in time",
    ),
    (
        exceptions.ConnectionClosedError(endpoint_url="https://x"),
        "https://x closed the connection without an answer",
    ),
    *(
        (error, "the sign-in of the profile has expired: sign in again, with aws sso login or aws login")
        for error in (
            exceptions.UnauthorizedSSOTokenError(),
            exceptions.SSOTokenLoadError(error_msg="gone"),
            exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
            exceptions.LoginRefreshRequired(),
        )
    ),
    *(
        (error, "https://x cannot be reached: check the Region, --endpoint-url and the network")
        for error in (
            exceptions.EndpointConnectionError(endpoint_url="https://x", error="no such host"),
            exceptions.ConnectTimeoutError(endpoint_url="https://x"),
            exceptions.ProxyConnectionError(proxy_url="https://x"),
        )
    ),
]


@pytest.mark.parametrize(("error", "sentence"), FAILURES, ids=lambda value: type(value).__name__)
def test_every_failure_is_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(AwsError) as raised, api_errors():
        raise error
    assert (str(raised.value), raised.value.exit_code) == (sentence, 4)


def test_an_error_of_the_program_itself_is_left_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), api_errors():
        raise ZeroDivisionError


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


COMMANDS = [["list"], ["orphans"], ["describe", "nightly"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("options", "environment", "sentence"),
    [
        (["--profile", "nobody"], {}, "there is no profile nobody in the AWS config"),
        ([], {"AWS_PROFILE": "nobody"}, "there is no profile nobody in the AWS config"),
        (
            [],
            {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""},
            "no Region: name one with --region, or set AWS_REGION",
        ),
        (
            ["--region", "not a Region"],
            {},
            "'not a Region' is not the name of a Region, such as eu-west-1",
        ),
        (
            [],
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "there are no AWS credentials: name a profile with --profile, or sign in with aws sso login",
        ),
    ],
)
def test_every_command_tells_it_in_one_line(  # noqa: PLR0917
    account: OperatorAccount,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    options: list[str],
    environment: dict[str, str],
    sentence: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = account.run(*command, *options)
    assert result.stdout == ""
    assert result.stderr.endswith(f"{sentence}\n")
    assert result.stderr.startswith("Error: ")
    assert (result.exit_code, result.stderr.count("\n")) == (4, 1)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_endpoint_that_nobody_listens_at_is_named(
    account: OperatorAccount, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    url = f"http://localhost:{_closed_port()}"
    result = account.run(*command, "--endpoint-url", url)
    assert result.exit_code == 4
    assert f"{url}/" in result.stderr
    assert "cannot be reached: check the Region, --endpoint-url and the network" in result.stderr
    assert result.stderr.count("\n") == 1


ACTIONS = [
    ("list", "cloudformation:ListStacks"),
    ("list", "cloudformation:ListStackResources"),
    ("list", "scheduler:ListSchedules"),
    ("list", "scheduler:GetSchedule"),
    ("list", "events:ListEventBuses"),
    ("list", "events:ListRules"),
    ("list", "events:ListTargetsByRule"),
    ("list", "sagemaker:ListPipelines"),
    ("orphans", "sagemaker:DescribePipeline"),
]


@pytest.mark.parametrize(("command", "action"), ACTIONS)
def test_a_missing_permission_is_named(
    account: OperatorAccount, endpoint: FaultyEndpoint, command: str, action: str
) -> None:
    account.stack("Stack", {"Topic": {"Type": "AWS::SNS::Topic"}})
    account.schedule("nightly")
    account.rule("launch", account.pipeline_arn("gone"))
    endpoint.refuse(action, status=403, message="Not you.")
    result = account.run(command)
    assert result.exit_code == 4
    assert result.stderr == (
        f"Error: access denied: the permission {action} is missing in us-east-1: Not you\n"
    )


def test_a_listing_that_is_throttled_too_long_says_so(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    endpoint.refuse("scheduler:ListSchedules", "ThrottlingException", "Rate exceeded", status=429)
    result = account.run("list")
    assert (result.exit_code, result.stderr) == (
        4,
        (
            "Error: scheduler:ListSchedules in us-east-1: AWS throttled the calls, and retries did not help: "
            "try again later\n"
        ),
    )
    assert endpoint.calls["scheduler:ListSchedules"] == 2  # as AWS_MAX_ATTEMPTS of the local AWS has it


@pytest.mark.parametrize(
    ("environment", "attempts", "mode"),
    [
        ({}, 6, "adaptive"),
        ({"AWS_MAX_ATTEMPTS": "9"}, 9, "adaptive"),
        ({"AWS_RETRY_MODE": "standard"}, 6, "standard"),
    ],
)
def test_retries_are_those_of_the_user_where_there_are_any(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], attempts: int, mode: str
) -> None:
    for name in ("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = Aws.connect(region="eu-west-1").client("scheduler")
    retries: Any = client.meta.config.retries
    assert (retries["total_max_attempts"], retries["mode"]) == (attempts, mode)


def test_a_client_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    aws = Aws.connect(region="eu-west-1")
    assert aws.client("scheduler") is aws.client("scheduler", "eu-west-1")
    assert aws.client("scheduler") is not aws.client("scheduler", "us-east-1")


@pytest.mark.parametrize(
    ("named", "regions"),
    [(None, ("eu-west-1",)), ([], ("eu-west-1",)), (["b", "a", "b"], ("b", "a"))],
)
def test_regions_are_those_named_each_once(
    monkeypatch: pytest.MonkeyPatch, named: list[str] | None, regions: tuple[str, ...]
) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert Aws.connect(region="eu-west-1").regions(named) == regions


def test_the_account_is_that_of_the_credentials(account: OperatorAccount) -> None:
    assert Aws.connect().account() == account.aws.account


def test_errors_work_as_a_decorator_too() -> None:
    @api_errors()
    def fail() -> Callable[[], None]:
        raise exceptions.NoRegionError

    with pytest.raises(AwsError, match="no Region"):
        fail()


def test_aws_region_counts_as_it_does_for_the_aws_cli(
    account: OperatorAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 itself knows AWS_DEFAULT_REGION alone."""
    account.schedule("there", region="eu-west-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert [row["NAME"] for row in account.rows("list")] == ["there"]
    assert account.rows("list", "--region", "us-east-1") == []
    monkeypatch.delenv("AWS_REGION")
    assert account.rows("list") == []
