"""What goes wrong in a call of an AWS API, as one sentence for the operator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from scheduled_pipeline.cli.errors import CommandError, ExitCode

_IAM_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Of the services whose actions in a policy are not named as their requests are signed."""
_PERFORM = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")
_FORWARDED = "scheduled_pipeline_call"

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN_IDENTITY = frozenset(
    {
        *("AuthFailure", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException"),
        *("MissingAuthenticationToken", "MissingAuthenticationTokenException", "SignatureDoesNotMatch"),
        *("UnrecognizedClientException",),
    }
)
THROTTLED = frozenset(
    {
        *("RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"),
        *("Throttling", "ThrottledException", "ThrottlingException", "TooManyRequestsException"),
    }
)
NOT_FOUND = frozenset({"NotFoundException", "ResourceNotFound", "ResourceNotFoundException"})


class AwsError(CommandError):
    """AWS refused a call, or could not be asked.

    Attributes:
        code: AWS's code of the error, such as ``ThrottlingException``; empty when there was no answer.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.AWS

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class NotFoundError(AwsError):
    """AWS has no such resource."""


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """A call of an AWS API.

    Attributes:
        action: as a policy names it, such as ``scheduler:ListSchedules``.
        region: the Region that was asked.
    """

    action: str
    region: str

    def __str__(self) -> str:
        return f"{self.action} in {self.region}"


def note_calls(client: Any) -> Any:
    """Add the name of the API call to each error of a boto3 client, and return the client.

    botocore's errors name the operation, but neither the service nor the Region.
    """
    prefix = client.meta.service_model.signing_name
    prefix = _IAM_PREFIXES.get(prefix, prefix)

    def call(operation: str) -> ApiCall:
        return ApiCall(action=f"{prefix}:{operation}", region=client.meta.region_name)

    def note_refusal(*, http_response: Any, parsed: dict[str, Any], model: Any, **_others: Any) -> None:
        if http_response.status_code >= 300:
            parsed[_FORWARDED] = call(model.name)

    def note_failure(*, event_name: str, exception: Any, **_others: Any) -> None:
        exception.scheduled_pipeline_call = call(event_name.rpartition(".")[2])

    client.meta.events.register("after-call", note_refusal)
    client.meta.events.register("after-call-error", note_failure)
    return client


@contextmanager
def api_errors() -> Iterator[None]:
    """Turn every error of boto3 and botocore within into an ``AwsError``.

    Serves as a decorator of a function too, but not of a generator: its body runs after the call.

    Raises:
        AwsError: with one sentence; ``NotFoundError`` when there is no such resource.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise refusal(error) from error
    except (BotoCoreError, Boto3Error) as error:
        raise _failure(error) from error


def refusal(error: Any) -> AwsError:
    """The error of an answer of AWS, a ``botocore.exceptions.ClientError``."""
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    message = str(details.get("Message", "")).strip().rstrip(".")
    call = error.response.get(_FORWARDED) or error.operation_name
    where = f" in {call.region}" if isinstance(call, ApiCall) else ""
    if code in DENIED:
        named = _PERFORM.search(message)
        action = named[1] if named else getattr(call, "action", call)
        said = f": {message}" if message else ""
        return AwsError(f"access denied: the permission {action} is missing{where}{said}", code=code)
    if code in EXPIRED:
        return AwsError(f"{call}: the AWS credentials have expired: sign in again", code=code)
    if code in UNKNOWN_IDENTITY:
        text = f"{call}: AWS does not know the credentials ({message or code}): check the profile, and that"
        return AwsError(f"{text} the account has the Region enabled", code=code)
    if code in THROTTLED:
        text = f"{call}: AWS throttled the calls, and retries did not help: try again later"
        return AwsError(text, code=code)
    if code in NOT_FOUND:
        return NotFoundError(f"{call}: not found: {message or code}", code=code)
    return AwsError(f"{call}: {message or 'no reason given'} ({code})", code=code)


def _failure(error: Any) -> AwsError:
    """The error of a call that got no answer, or could not be made."""
    call = getattr(error, _FORWARDED, None)
    prefix = "" if call is None else f"{call}: "
    for kind in type(error).__mro__:
        if sentence := _SENTENCES.get(kind.__name__):
            return AwsError(prefix + sentence(error))
    return AwsError(prefix + str(error).strip().rstrip("."))


def _unreachable(error: Any) -> str:
    address = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url")
    return f"{address} cannot be reached: check the Region, --endpoint-url and the network"


def _expired(_error: Any) -> str:
    return "the sign-in of the profile has expired: sign in again, with aws sso login or aws login"


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "NoCredentialsError": lambda _error: (
        "there are no AWS credentials: name a profile with --profile, or sign in with aws sso login"
    ),
    "PartialCredentialsError": lambda error: (
        f"the AWS credentials are incomplete: {error.kwargs.get('cred_var')} is missing"
    ),
    "CredentialRetrievalError": lambda error: (
        f"the AWS credentials cannot be had: {error.kwargs.get('error_msg')}"
    ),
    "LoginError": _expired,
    "SSOError": _expired,
    "TokenRetrievalError": _expired,
    "ProfileNotFound": lambda error: f"there is no profile {error.kwargs.get('profile')} in the AWS config",
    "NoRegionError": lambda _error: "no Region: name one with --region, or set AWS_REGION",
    "InvalidRegionError": lambda error: (
        f"{error.kwargs.get('region_name')!r} is not the name of a Region, such as eu-west-1"
    ),
    "ConnectTimeoutError": _unreachable,
    "EndpointConnectionError": _unreachable,
    "ProxyConnectionError": _unreachable,
    "ReadTimeoutError": lambda error: f"{error.kwargs.get('endpoint_url')} did not answer in time",
    "ConnectionClosedError": lambda error: (
        f"{error.kwargs.get('endpoint_url')} closed the connection without an answer"
    ),
}
"""By the name of botocore's class, as botocore is imported only when it is used."""
