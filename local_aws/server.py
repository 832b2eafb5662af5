"""Start local AWS in a process and an environment of its own, talk to it, and stop it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import boto3
import botocore.config

from local_aws.inventory import Inventory, take_inventory
from local_aws.protocol import CONTROL_PREFIX, READY, Dangling, Delivery

DEFAULT_ACCOUNT: Final = "111122223333"
DEFAULT_REGION: Final = "us-east-1"
_ROOT: Final = Path(__file__).resolve().parent.parent
_PYTHON: Final = _ROOT / ".venv" / "local-aws" / "bin" / "python"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_CONTROL_SECONDS: Final = 60.0
# The server gets these of the caller's environment and no others: no credentials, no proxies, no settings.
_INHERITED: Final = ("LANG", "LC_ALL", "PATH", "TMPDIR")


class LocalAwsError(Exception):
    """Local AWS did not start, or refused a control request."""


def server_python() -> Path:
    """The interpreter of the environment that the server runs in, which is not the caller's.

    Raises:
        LocalAwsError: there is no such environment.
    """
    if not _PYTHON.exists():
        raise LocalAwsError(f"The local AWS has no environment at {_PYTHON.parents[1]}: run `make setup`.")
    return _PYTHON


@dataclass
class LocalAws:
    """A running local AWS; ``with LocalAws.start() as aws:`` stops it at the end.

    Attributes:
        endpoint_url: where every service answers. It says ``localhost``, as virtual-hosted buckets need.
        account: the account of clients that name none. A twelve-digit access key is the account's id.
    """

    endpoint_url: str
    account: str
    _process: subprocess.Popen[str] = field(repr=False)
    _output: list[str] = field(repr=False)
    # One session, as it reads each service's model once.
    _session: boto3.session.Session = field(default_factory=boto3.session.Session, repr=False)
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    @classmethod
    def start(cls, *, port: int = 0, account: str = DEFAULT_ACCOUNT, execution_seconds: float = 1.0) -> Self:
        """Start a server and wait until it is ready.

        Args:
            port: TCP port on loopback. Default: a free one.
            account: twelve digits. The CDK CLI keeps the account of an access key in ``~/.cdk/cache``.
            execution_seconds: how long a pipeline execution stays ``Executing`` before it is ``Succeeded``.

        Raises:
            LocalAwsError: it has no environment, or did not get ready; the message has what it wrote.
        """
        command = [str(server_python()), "-m", "local_aws", "--stop-with-stdin", "--port", str(port)]
        command += ["--execution-seconds", str(execution_seconds)]
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output: list[str] = []
        lines = _read_lines(process.stdout, output)
        try:
            url = _wait_until_ready(process, lines, output)
        except BaseException:
            _stop(process)
            raise
        return cls(endpoint_url=url, account=account, _process=process, _output=output)

    def stop(self) -> None:
        """Stop the server; its state is gone with it."""
        _stop(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def output(self) -> str:
        """What the server has written so far: nothing but the readiness line while all is well."""
        return "".join(self._output)

    def environment(self, *, account: str | None = None, region: str = DEFAULT_REGION) -> dict[str, str]:
        """The variables that point a CLI or an SDK here, and away from the user's own configuration.

        Merge them over the process's own. ``AWS_PROFILE`` has no value that means none: leave it out there.
        The proxy variables are emptied, as loopback needs none.
        """
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": account or self.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
            "NO_PROXY": "localhost,127.0.0.1",
            **{name: "" for upper in proxies for name in (upper, upper.lower())},
        }

    def client(self, service: str, *, account: str | None = None, region: str = DEFAULT_REGION) -> Any:
        """A boto3 client of a service; the same one each time, as making one takes longer than a call."""
        key = (service, account or self.account, region)
        if key not in self._clients:
            self._clients[key] = self._new_client(*key)
        return self._clients[key]

    def _new_client(self, service: str, account: str, region: str) -> Any:
        config = botocore.config.Config(
            retries={"total_max_attempts": 2}, proxies={}, s3={"addressing_style": "path"}
        )
        return self._session.client(
            service,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=account,
            aws_secret_access_key="local",
            region_name=region,
            config=config,
        )

    def deliver(
        self,
        schedule_name: str,
        *,
        group: str = "default",
        scheduled_time: datetime | None = None,
        account: str | None = None,
        region: str = DEFAULT_REGION,
    ) -> Delivery:
        """Deliver a schedule now, the way the clock does when it is due.

        Args:
            schedule_name: the schedule's name, also of a disabled one.
            group: its schedule group.
            scheduled_time: aware; the time the schedule is due for. Default: now.
            account: default: that of this instance.
            region: the schedule's Region.

        Returns:
            The last attempt.

        Raises:
            LocalAwsError: there is no such schedule.
        """
        moment = None if scheduled_time is None else scheduled_time.isoformat()
        request = {"name": schedule_name, "group": group, "scheduled_time": moment}
        return Delivery(**self._control("deliver", request, account, region))

    def deliveries(self, *, account: str | None = None, region: str = DEFAULT_REGION) -> list[Delivery]:
        """Every attempt to start something from a schedule or a rule, oldest first."""
        return [Delivery(**entry) for entry in self._control("deliveries", {}, account, region)["deliveries"]]

    def dangling(self, *, account: str | None = None, region: str = DEFAULT_REGION) -> list[Dangling]:
        """Every enabled schedule or rule that named a missing pipeline at any moment, oldest first."""
        return [Dangling(**entry) for entry in self._control("dangling", {}, account, region)["dangling"]]

    def finish(
        self,
        execution_arn: str,
        *,
        status: str = "Succeeded",
        failure_reason: str | None = None,
        failed_step: str | None = None,
        account: str | None = None,
        region: str = DEFAULT_REGION,
    ) -> None:
        """End a pipeline execution, with the event SageMaker sends.

        ``Succeeded``, ``Failed``, ``Stopped`` or ``CompletedWithFailures``. With a failed step, that step
        fails for the reason; those before it have succeeded, those after it have never begun. In an
        execution that completed with failures, which needs a failed step, they have succeeded too.
        """
        request = {
            "execution_arn": execution_arn,
            "status": status,
            "failure_reason": failure_reason,
            "failed_step": failed_step,
        }
        self._control("finish", request, account, region)

    def inventory(self, *, account: str | None = None, region: str = DEFAULT_REGION) -> Inventory:
        """The names of what is there, by kind: to see that nothing is left."""
        return take_inventory(lambda service: self.client(service, account=account, region=region))

    def _control(self, action: str, request: Mapping[str, Any], account: str | None, region: str) -> Any:
        body = {**request, "account": account or self.account, "region": region}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            url = self.endpoint_url + CONTROL_PREFIX + action
            with opener.open(url, json.dumps(body).encode(), timeout=_CONTROL_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            detail = json.loads(error.read() or b"{}")
            raise LocalAwsError(f"{detail.get('code')}: {detail.get('message')}") from error


def _read_lines(stream: IO[str] | None, output: list[str]) -> queue.Queue[str | None]:
    # A thread, so that a server that writes much never blocks on a full pipe.
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream or ():
            output.append(line)
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True, name="local-aws-output").start()
    return lines


def _wait_until_ready(
    process: subprocess.Popen[str], lines: queue.Queue[str | None], output: list[str]
) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise LocalAwsError(
                f"local AWS was not ready in {_START_SECONDS} s:\n{''.join(output)}"
            ) from None
        if line is None:
            code = process.wait()
            raise LocalAwsError(f"local AWS ended with exit code {code}:\n{''.join(output)}")
        if line.startswith(READY):
            return line.removeprefix(READY).strip()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
