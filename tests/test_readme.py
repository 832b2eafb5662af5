"""What README says can be done as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_aws.server import LocalAws

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for language, block in BLOCKS if language == "bash" for line in block.splitlines()]
EXAMPLES = [block for language, block in BLOCKS if language == "python"]
PROGRAMS = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")])


def test_every_command_is_one_that_a_test_runs() -> None:
    known = ("make ", "source .venv/bin/activate", "npx cdk ", "scheduled-pipeline ")
    assert COMMANDS
    assert [command for command in COMMANDS if not command.startswith(known)] == []


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_every_make_target_exists(command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_commands_work_in_the_order_given(local_aws: LocalAws, tmp_path: Path) -> None:
    """On a copy of the project, with the local AWS in the place of the account they name."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("app.py", "cdk.json", "stacks", "pipeline_defs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    environment = {
        "PATH": os.pathsep.join([PROGRAMS, os.environ["PATH"]]),
        "HOME": str(tmp_path),
        **local_aws.environment(account="111122223333"),
    }
    commands = [command for command in COMMANDS if command.startswith(("npx cdk ", "scheduled-pipeline "))]
    assert len(commands) == 8
    for command in commands:
        answers = {"deploy": " --require-approval never --ci", "destroy": " --force --ci"}
        flags = next((flags for verb, flags in answers.items() if f"cdk {verb} " in command), "")
        done = subprocess.run(
            ["bash", "-c", command + flags],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    assert local_aws.inventory(account="111122223333").schedules == ()


def test_the_example_synthesizes(tmp_path: Path) -> None:
    for block in EXAMPLES:
        path = tmp_path / block.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True)
        path.write_text(block, encoding="utf-8")
    (tmp_path / "pipeline_defs" / "hello" / "hello.py").write_text("print('hello')\n", encoding="utf-8")
    app = (
        "from aws_cdk import App, Environment; from stacks.hello_stack import HelloStack; "
        "app = App(outdir='cdk.out'); HelloStack(app, 'Hello', env=Environment(region='eu-west-1')); "
        "app.synth()"
    )
    done = subprocess.run(
        [sys.executable, "-c", app],
        cwd=tmp_path,
        env={"PATH": os.pathsep.join([PROGRAMS, os.environ["PATH"]]), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template = (tmp_path / "cdk.out" / "Hello.template.json").read_text(encoding="utf-8")
    assert "cron(0 3 * * ? *)" in template
    assert "/hello.py" in template


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
