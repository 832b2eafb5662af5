import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local_aws import LocalAws, LocalAwsError, server
from local_aws.server import server_python

ROOT = Path(__file__).parents[2]


def test_a_client_of_the_running_server_is_its_account(local_aws: LocalAws) -> None:
    identity = local_aws.client("sts", account="123456789012").get_caller_identity()
    assert identity["Account"] == "123456789012"


def test_the_server_listens_on_loopback_only(local_aws: LocalAws) -> None:
    port = urlsplit(local_aws.endpoint_url).port
    # Column 2 of /proc/net/tcp is the local address in hexadecimal, column 4 the state (0A: listening).
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    assert listening == {f"0100007F:{port:04X}"}


def test_the_environment_points_an_sdk_here_and_nowhere_else(local_aws: LocalAws) -> None:
    environment = local_aws.environment(account="123456789012", region="eu-west-1")
    assert environment["AWS_ENDPOINT_URL"] == environment["AWS_ENDPOINT_URL_S3"] == local_aws.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == "123456789012"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert {environment[name] for name in environment if name.lower().endswith("s_proxy")} == {""}


def test_an_sdk_configured_by_the_environment_alone_reaches_the_server(local_aws: LocalAws) -> None:
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {**os.environ, **local_aws.environment(account="123456789012")}
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "123456789012", result.stderr


def test_a_stopped_server_leaves_no_process_and_no_files(
    fresh: Callable[..., LocalAws], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    aws = fresh()
    (home,) = tmp_path.iterdir()
    assert home.name.startswith("local-aws-")
    aws.client("s3").create_bucket(Bucket="some-bucket")
    aws.stop()
    assert aws._process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_the_command_cleanly() -> None:
    process = subprocess.Popen(
        [server_python(), "-m", "local_aws", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("local AWS is ready at http://localhost:")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, rest) == (0, "")


def test_the_server_ends_with_the_process_that_started_it(eventually: Callable[..., Any]) -> None:
    script = "import os; from local_aws import LocalAws; print(LocalAws.start().endpoint_url); os._exit(0)"
    started = subprocess.run(
        [sys.executable, "-uc", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    address = ("localhost", urlsplit(started.stdout.strip()).port)

    def is_gone() -> bool:
        with socket.socket() as client:
            return client.connect_ex(address) != 0

    assert eventually(is_gone)


def test_a_start_that_fails_shows_what_the_server_wrote() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalAwsError, match=r"(?s)exit code 1:.*Address already in use"):
            LocalAws.start(port=port)


def test_without_its_environment_a_start_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "_PYTHON", tmp_path / "local-aws" / "bin" / "python")
    with pytest.raises(LocalAwsError, match=r"^The local AWS has no environment at .*: run `make setup`\.$"):
        LocalAws.start()


def test_serving_in_an_environment_without_the_emulator_names_the_one_that_has_it() -> None:
    """An environment that was made by an older version of this project may have it, so it is hidden."""
    hide = "import runpy, sys; sys.modules['ministack'] = None"
    serve = f"{hide}; runpy.run_module('local_aws', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", serve], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.endswith(f"has no MiniStack: run `{server_python()} -m local_aws`.\n")


def test_settings_of_other_emulators_do_not_reach_the_server(
    fresh: Callable[..., LocalAws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICES", "sqs")
    monkeypatch.setenv("MINISTACK_ACCOUNT_ID", "999999999999")
    assert fresh().client("s3").list_buckets()["Buckets"] == []


def test_importing_the_package_does_not_import_the_emulator() -> None:
    script = "import sys, local_aws; print([m for m in sys.modules if m.startswith(('ministack', 'moto'))])"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "[]"


def test_an_unknown_schedule_cannot_be_delivered(local_aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match=r"ResourceNotFoundException: Schedule Nightly does not exist\."):
        local_aws.deliver("Nightly")


def test_an_execution_can_only_be_ended(local_aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match="Executing is not one of CompletedWithFailures, Failed, Sto"):
        local_aws.finish("arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/e", status="Executing")


def test_an_execution_completes_with_failures_of_steps_alone(local_aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match="CompletedWithFailures needs a failed step"):
        local_aws.finish(
            "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/e", status="CompletedWithFailures"
        )
