"""The app's cloud assembly, made once by the real CDK CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


Synthesize = Callable[..., subprocess.CompletedProcess[str]]


def _synthesize(project: Path, output: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `cdk synth` on a copy of the project, with nothing in the environment but what is given."""
    programs = [Path(sys.executable).parent, ROOT / "node_modules" / ".bin"]
    return subprocess.run(
        ["cdk", "synth", "--quiet", "--ci", "--no-notices", "--output", str(output)],
        cwd=project,
        env={
            "PATH": os.pathsep.join([*(str(program) for program in programs), "/usr/bin", "/bin"]),
            "HOME": str(output.parent),
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def synthesize() -> Synthesize:
    """The function that runs the CLI: project folder, output folder, environment as keywords."""
    return _synthesize


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the cloud assembly."""
    output = tmp_path_factory.mktemp("synth") / "cdk.out"
    done = _synthesize(ROOT, output)
    assert done.returncode == 0, done.stderr + done.stdout
    return output


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, Path]:
    """The templates of all stages by stack name."""
    return {path.name.split(".")[0]: path for path in sorted(assembly.glob("assembly-*/*.template.json"))}
