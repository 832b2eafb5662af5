"""The real CDK CLI, pointed at a local AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_aws.server import DEFAULT_REGION, LocalAws

_ROOT: Final = Path(__file__).resolve().parent.parent
# `--all` selects the stacks outside stages; this pattern also selects those inside.
_ALL: Final = ("**",)
_BIN: Final = (Path(sys.executable).parent, _ROOT / "node_modules" / ".bin")


class CdkError(Exception):
    """The CDK CLI ended with an exit code other than 0; the message has what it printed."""


@dataclass(frozen=True, kw_only=True)
class CdkCli:
    """Runs ``cdk`` on one app, in a home folder of its own: the CLI keeps the account of an access key there.

    Attributes:
        aws: where it deploys to.
        folder: the folder to run in, with a ``cdk.json``.
        home: stands for the user's home folder.
        app: the command that synthesizes. Default: the one in ``cdk.json``.
        region: the Region that stacks without one are deployed to.
    """

    aws: LocalAws
    folder: Path
    home: Path
    app: str | None = None
    region: str = DEFAULT_REGION

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``cdk`` with arguments; its output and its errors come as one text in ``stdout``.

        Raises:
            CdkError: it failed and ``check`` is set.
        """
        return self._run(self.folder, [*arguments, *self._app_arguments()], check=check)

    def _app_arguments(self) -> list[str]:
        return [] if self.app is None else ["--app", self.app]

    def _command(self, arguments: list[str]) -> list[str]:
        return ["cdk", *arguments, "--ci", "--no-color", "--no-notices"]

    def _run(self, folder: Path, arguments: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self._command(arguments),
            cwd=folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise CdkError(f"cdk {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``cdk`` as ``run`` does, and leave it running in a process group of its own."""
        return subprocess.Popen(
            self._command([*arguments, *self._app_arguments()]),
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def bootstrap(self) -> None:
        """Make what every CDK deployment needs: the CDKToolkit stack.

        Runs where there is no ``cdk.json``, because the CLI would synthesize the app first.
        """
        self._run(self.home, ["bootstrap", f"aws://{self.aws.account}/{self.region}"], check=True)

    def deploy(self, *stacks: str) -> str:
        """Deploy stacks by name or pattern, all when none is named, and return what the CLI printed."""
        return self.run("deploy", *(stacks or _ALL), "--require-approval", "never").stdout

    def diff(self, *stacks: str) -> subprocess.CompletedProcess[str]:
        """Compare with what is deployed; the exit code is 1 when there are differences."""
        return self.run("diff", *(stacks or _ALL), "--fail", check=False)

    def destroy(self, *stacks: str) -> str:
        """Destroy stacks, all when none is named."""
        return self.run("destroy", *(stacks or _ALL), "--force").stdout

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([*(str(folder) for folder in _BIN), os.environ["PATH"]])
        return {
            "PATH": path,
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(_ROOT)]),
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            **self.aws.environment(region=self.region),
        }
