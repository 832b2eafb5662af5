"""``Child``: one child process that compiles, with no network, no configuration and no CDK."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox import protocol
from scheduled_pipeline.definition.sandbox.forked import POSSIBLE
from scheduled_pipeline.definition.sandbox.protocol import (
    KERNEL_GUARDS,
    Answer,
    Cancel,
    Cancelled,
    ProtocolError,
    Request,
    Start,
    Surroundings,
)

_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])["path"]
from scheduled_pipeline.definition.sandbox.main import main
main(sys.argv[1])
"""

# Read by `_environment`; everything else of the parent's environment stays out of the child.
_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

# Stands for the SDK's configuration files. Empty, because the SDK checks every look-up of a configuration
# that has anything in it against a JSON schema, 0.06 s each.
_SDK_CONFIG_FILE = "{}\n"


# The child ends a fork whose time is over by itself, and goes on. After so much more it is ended as a whole.
_GRACE_SECONDS = 5.0


class ChildEndedError(Exception):
    """The child ended, or was ended, before it answered; the text says how.

    Attributes:
        late: whether it was ended because the time was over.
    """

    def __init__(self, how: str, *, late: bool = False) -> None:
        super().__init__(how)
        self.late = late


class Child:
    """A process that answers requests for one Region.

    It has the SDK imported and forks for each definition, so that nothing a build function does is seen by
    another one. Where there is no reliable fork, it is for one definition. Modules keep what they read of the
    Region when they are imported, so two Regions cannot share one.

    Attributes:
        forks: whether it can be asked again.
        staging: where the files of uploads are, each under the SHA-256 of its content.

    Args:
        root: a folder of its own, for all that it writes.
        region: the AWS Region.
        project: the project, whose modules it imports and whose files it records.
        surroundings: what is to be different in it. Default: nothing.
        forks: whether it answers any number of requests, each in a fork of its own, or one.
        guards: which of the kernel's guards it tries. Default: all.
    """

    def __init__(
        self,
        root: Path,
        region: str,
        project: Project,
        surroundings: Surroundings | None = None,
        *,
        forks: bool = POSSIBLE,
        guards: tuple[str, ...] = KERNEL_GUARDS,
    ) -> None:
        self.forks = forks
        self.staging = root / "uploads"
        for name in ("home", "tmp", "uploads"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "sagemaker.yaml").write_text(_SDK_CONFIG_FILE, encoding="utf-8")
        self._log = root / "output.log"
        self._output_seen = 0
        self._was_asked = False
        self._abandoned = False
        self._writing = threading.Lock()
        self._given_up: threading.Event | None = None
        folder = project.anchors[0]
        start = Start(
            path=tuple(os.path.join(folder, entry) for entry in sys.path),  # noqa: PTH118 - the strings as they are
            project=replace(project, ignored=(*project.ignored, str(root))),
            surroundings=surroundings or Surroundings(),
            forks=forks,
            guards=guards,
        )
        hash_seed = str(start.surroundings.hash_seed)
        environment = {**_environment(root, region), "PYTHONHASHSEED": hash_seed}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                # Without -P the working directory comes first, until the child has its own sys.path.
                [sys.executable, "-P", "-s", "-c", _BOOT, protocol.write(start)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=folder,
                encoding="utf-8",
            )

    @property
    def can_be_asked(self) -> bool:
        """Whether it is there, was not given up and, where it does not fork, has no definition yet."""
        return not (self._abandoned or (self._was_asked and not self.forks)) and self._process.poll() is None

    def ask(self, wanted: CompileRequest, seconds: float, given_up: threading.Event) -> Answer | None:
        """Send a request and return its answer, or None if it was given up.

        Args:
            wanted: the definition.
            seconds: how long it may take, the start of the process included.
            given_up: says that nobody waits for the answer any more; see ``cancel``.

        Raises:
            ChildEndedError: it died, or was ended because it took too long or because it does not speak our
                protocol; it cannot be used any more.
        """
        line = self._exchange(wanted, seconds, given_up)
        if line is None:
            return None
        try:
            answer = protocol.read_answer(line)
        except ProtocolError as error:
            self._process.kill()
            self.end()
            raise ChildEndedError(f"was not understood ({error}) and was ended") from None
        return None if isinstance(answer, Cancelled) else answer

    def cancel(self) -> None:
        """End the work on a request that was given up; ``ask`` then returns, with None or with its answer."""
        with self._writing:
            if self._given_up is None or not self._given_up.is_set():
                return
            if not self.forks:
                self._process.kill()
                return
            with contextlib.suppress(OSError, ValueError):  # it has ended meanwhile
                self._write(Cancel())

    def output(self) -> str:
        """Return what was printed since the last call."""
        with self._log.open("rb") as log:
            log.seek(self._output_seen)
            printed = log.read()
        self._output_seen += len(printed)
        return printed.decode("utf-8", errors="replace")

    def abandon(self) -> None:
        """End the process soon; whoever waits for an answer gets none.

        A child that forks ends what its definitions have started, so it is told rather than killed.
        """
        self._abandoned = True
        if self.forks:
            self._process.terminate()
        else:
            self._process.kill()

    def end(self) -> None:
        """Close the pipes, which ends the process when it is done, and wait for that."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _exchange(self, wanted: CompileRequest, seconds: float, given_up: threading.Event) -> str | None:
        """Return the line that answers a request, or None if it was given up and nothing came of it."""
        request = wanted.asked(self.staging, time.monotonic() + seconds)
        assert self._process.stdout is not None
        late = threading.Event()

        def end_it() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds + (_GRACE_SECONDS if self.forks else 0), end_it)
        timer.daemon = True
        timer.start()
        try:
            if not self._send(request, given_up):
                return None
            line = self._process.stdout.readline()
        except (BrokenPipeError, ValueError):  # a pipe that was closed by `end`
            line = ""
        finally:
            timer.cancel()
            with self._writing:
                self._given_up = None
        if line.endswith("\n"):
            return line
        self.end()
        if given_up.is_set() and not self.forks:
            return None
        if self._abandoned:
            raise ChildEndedError("was ended, as nobody waited for it")
        if late.is_set():
            raise ChildEndedError(f"did not answer within {seconds:g} seconds and was ended", late=True)
        raise ChildEndedError(f"ended with code {self._process.returncode} before it answered")

    def _send(self, request: Request, given_up: threading.Event) -> bool:
        """Send a request unless it is given up already; what is given up from now on is cancelled."""
        with self._writing:
            if given_up.is_set():
                return False
            self._given_up = given_up
            self._was_asked = True
            self._write(request)
            return True

    def _write(self, message: Request | Cancel) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(protocol.write(message) + "\n")
        self._process.stdin.flush()


@cache
def _time_zones() -> str:
    """Return the folder of the package ``tzdata``."""
    with resources.as_file(resources.files("tzdata") / "zoneinfo") as folder:
        return str(folder)


def _environment(root: Path, region: str) -> dict[str, str]:
    """Return the child's whole environment: nothing of the user's but where programs are found."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "HOME": str(root / "home"),
        "USERPROFILE": str(root / "home"),
        "TMPDIR": str(root / "tmp"),
        # Who is asked for it otherwise may be a server, which cannot be reached from there.
        "LOGNAME": "offline",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        # The machine's database of time zones may be of another year: Python's, and the C library's.
        "PYTHONTZPATH": _time_zones(),
        "TZDIR": _time_zones(),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "offline",
        "AWS_SECRET_ACCESS_KEY": "offline",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_VALIDATE_ROLE": "false",
        # Without this an import of GitPython fails where git cannot be run.
        "GIT_PYTHON_REFRESH": "quiet",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(root / "sagemaker.yaml"),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(root / "sagemaker.yaml"),
    }
