import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]
Command = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_printed(run_command: Command) -> None:
    done = run_command("--version")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"scheduled-pipeline {version('scheduled-pipeline')}\n",
        "",
    )


def test_without_arguments_the_help_is_shown(run_command: Command) -> None:
    done = run_command()
    assert done.returncode == 2
    assert "Usage: scheduled-pipeline [OPTIONS] COMMAND [ARGS]..." in done.stderr
    assert "next" in done.stderr


def test_help_in_a_pipe_is_plain(run_command: Command) -> None:
    done = run_command("next", "--help")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("code", range(4))
def test_the_help_names_each_exit_code(run_command: Command, code: int) -> None:
    _, text = " ".join(run_command("next", "--help").stdout.split()).split("Exit codes: ")
    assert f"{code}, " in text


@pytest.mark.parametrize("arguments", [["orphan"], ["--verbose"], ["next", "--verbose"], ["next", "extra"]])
def test_wrong_usage_is_one_line_and_exit_code_2(run_command: Command, arguments: list[str]) -> None:
    done = run_command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_a_pipe_gets_plain_lines(
    run_command: Command, write_assembly: Callable[..., Path], schedule: Make
) -> None:
    folder = write_assembly({"A": schedule()})
    arguments = ["next", "--assembly", str(folder), "--after", "2027-01-01", "--count", "1"]
    done = run_command(*arguments, FORCE_COLOR="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split("\t")[:2] == [
        "2027-01-01T03:00:00Z",
        "2027-01-01T03:00:00+00:00",
    ]


def test_a_missing_assembly_in_a_process_has_no_traceback(run_command: Command, tmp_path: Path) -> None:
    done = run_command("next", "--assembly", str(tmp_path / "cdk.out"))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "run cdk synth first" in done.stderr


def test_a_letter_that_the_locale_lacks_is_printed_as_its_number(
    run_command: Command, write_assembly: Callable[..., Path], schedule: Make
) -> None:
    folder = write_assembly({"A": schedule(Name="Nächtlich")})
    done = run_command("next", "--assembly", str(folder), "--count", "1", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "N\\xe4chtlich" in done.stdout


@pytest.mark.process
def test_a_reader_that_has_had_enough_is_no_error(
    write_assembly: Callable[..., Path], schedule: Make
) -> None:
    folder = write_assembly({"A": schedule()})
    reader, writer = os.pipe()
    os.close(reader)
    program = Path(sys.executable).parent / "scheduled-pipeline"
    try:
        done = subprocess.run(
            [str(program), "next", "--assembly", str(folder), "--count", "1000"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals to make here")
def test_a_terminal_gets_a_table(write_assembly: Callable[..., Path], schedule: Make) -> None:
    folder = write_assembly({"A": schedule(ScheduleExpressionTimezone="Asia/Tokyo")})
    program = Path(sys.executable).parent / "scheduled-pipeline"
    ours, theirs = os.openpty()
    arguments = ["next", "--assembly", str(folder), "--after", "2027-01-01", "--count", "1"]
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100"}
    try:
        subprocess.run([str(program), *arguments], stdout=theirs, env=environment, check=True)
        text = os.read(ours, 10_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert "\x1b[32mENABLED" in text
    assert "Sat 2027-01-02 03:00 +09:00" in text


@pytest.mark.process
def test_the_command_needs_neither_the_cdk_nor_the_sdk() -> None:
    heavy = ("aws_cdk", "constructs", "jsii", "sagemaker", "boto3", "botocore")
    program = f"import sys, scheduled_pipeline.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT / "constructs"
    )
    assert done.stdout.strip() == "[]"


def test_of_the_product_the_command_imports_only_the_pure_wings() -> None:
    sources = (ROOT / "constructs" / "scheduled_pipeline" / "cli").rglob("*.py")
    lines = [line for source in sources for line in source.read_text(encoding="utf-8").splitlines()]
    ours = {line.split()[1] for line in lines if line.startswith("from scheduled_pipeline")}
    assert ours
    # `parameters` is where values meet a definition, and as pure as the wings.
    assert {name.split(".")[1] for name in ours} <= {"cli", "definition", "parameters", "trigger"}
