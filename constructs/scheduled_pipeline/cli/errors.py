"""How a command ends when it cannot do all that it was asked."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    """All that was asked."""
    REFUSED = 1
    """Something in a template would be refused by AWS; the rest was printed."""
    USAGE = 2
    """The command was given what it does not take."""
    NO_ASSEMBLY = 3
    """There is no cloud assembly, or it is broken."""


class CommandError(Exception):
    """Ends a command. Its text is one sentence for the operator."""

    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED
