"""How a command ends when it cannot do all that it was asked."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    """All that was asked."""
    REFUSED = 1
    """Some of it could not be done, or would be refused by AWS; the rest was done."""
    USAGE = 2
    """The command was given what it does not take."""
    NO_ASSEMBLY = 3
    """There is no cloud assembly, or it is broken."""
    AWS = 4
    """AWS refused a call, or could not be asked."""
    FOUND = 5
    """What was asked to fail the command when found was found; all of it was printed."""
    RUN = 6
    """The run that was waited for failed or was stopped."""
    INTERRUPTED = 130
    """The operator interrupted the command."""


class CommandError(Exception):
    """Ends a command. Its text is one sentence for the operator."""

    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED


class UsageError(CommandError):
    """The command was given what does not go together."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
