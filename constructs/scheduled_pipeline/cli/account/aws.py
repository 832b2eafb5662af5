"""How a command reaches AWS: the options that say where, and the clients."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Any, Self

import typer

from scheduled_pipeline.cli.account.aws_errors import AwsError, api_errors, note_calls

MAXIMUM_CONNECTIONS = 16
"""How many calls of one client can be under way at once."""

_ATTEMPTS = 6
_CONNECT_SECONDS = 10

Profile = Annotated[
    str | None, typer.Option("--profile", help="A profile of the AWS config. Default: as the AWS CLI has it.")
]
# boto3 knows AWS_DEFAULT_REGION alone, the AWS CLI and the other SDKs know AWS_REGION.
Region = Annotated[
    str | None,
    typer.Option("--region", envvar="AWS_REGION", help="The Region. Default: as the AWS CLI has it."),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region", envvar="AWS_REGION", help="A Region; repeat it for more. Default: as the AWS CLI has it."
    ),
]
EndpointUrl = Annotated[
    str | None, typer.Option("--endpoint-url", help="Where to send the calls in place of AWS.")
]


@dataclass(frozen=True, kw_only=True)
class Aws:
    """The identity that calls AWS, and where.

    Made by ``connect``. Its clients retry what was throttled or lost, at a pace that follows AWS's answers,
    and their errors become one sentence each within ``api_errors``.

    Attributes:
        session: a ``boto3.Session``.
        endpoint_url: for every service; otherwise ``AWS_ENDPOINT_URL`` and its like count.
        retries: as ``botocore.config.Config`` takes them.
    """

    session: Any
    endpoint_url: str | None = None
    retries: Mapping[str, Any] = field(default_factory=dict)
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=Lock, repr=False)

    @classmethod
    def connect(
        cls, *, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> Self:
        """Find profile and Region as the AWS CLI does; makes no call.

        Raises:
            AwsError: there is no such profile.
        """
        import boto3
        import botocore.session

        with api_errors():
            core = botocore.session.get_session()
            session = boto3.Session(botocore_session=core, profile_name=profile, region_name=region)
            return cls(session=session, endpoint_url=endpoint_url, retries=_retries(core))

    @property
    def region(self) -> str:
        """The Region to ask where none is named.

        Raises:
            AwsError: there is none.
        """
        name = self.session.region_name
        if not name:
            raise AwsError("no Region: name one with --region, or set AWS_REGION")
        return str(name)

    def regions(self, named: Iterable[str] | None) -> tuple[str, ...]:
        """Return the Regions that were named, in order and without repeats, or else the default Region.

        Raises:
            AwsError: there is none, or one is empty, as of a variable that is not set.
        """
        regions = tuple(dict.fromkeys(named or ())) or (self.region,)
        if "" in regions:
            raise AwsError("'' is not the name of a Region, such as eu-west-1")
        return regions

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client; the same one each time, for any thread.

        Args:
            service: as boto3 names it, such as ``scheduler``.
            region: default: the session's.

        Raises:
            AwsError: there is no Region, or its name cannot be one.
        """
        key = (service, region or self.region)
        with self._lock, api_errors():
            if key not in self._clients:
                self._clients[key] = note_calls(self._new_client(*key))
            return self._clients[key]

    def account(self, region: str | None = None) -> str:
        """The id of the account whose identity makes the calls: ``sts:GetCallerIdentity``, always allowed.

        Args:
            region: where to ask. Default: the session's.
        """
        with api_errors():
            return str(self.client("sts", region).get_caller_identity()["Account"])

    def _new_client(self, service: str, region: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            retries=dict(self.retries),
            max_pool_connections=MAXIMUM_CONNECTIONS,
            connect_timeout=_CONNECT_SECONDS,
            user_agent_extra="scheduled-pipeline",
        )
        try:
            return self.session.client(
                service, region_name=region, endpoint_url=self.endpoint_url, config=config
            )
        except BotoCoreError:
            raise
        except ValueError as error:
            raise AwsError(f"the address of the endpoint must begin with https://: {error}") from None


def _retries(core: Any) -> dict[str, Any]:
    """Return our settings for retries, or none where the environment or the AWS config has some."""
    attempts = core.get_config_variable("max_attempts")
    mode = core.get_config_variable("retry_mode")
    # botocore's own default is the mode for those who depend on how it was.
    return {
        **({} if attempts is not None else {"total_max_attempts": _ATTEMPTS}),
        "mode": "adaptive" if mode in (None, "legacy") else mode,
    }


def same_place(aws: Aws, profile: str | None) -> str:
    """The options with which another command reaches the same account and Region.

    Args:
        aws: whom this command asks.
        profile: as this command was given it.
    """
    named = {"--region": aws.region, "--profile": profile, "--endpoint-url": aws.endpoint_url}
    return " ".join(f"{name} {shlex.quote(value)}" for name, value in named.items() if value)
