"""The command ``scheduled-pipeline``: its entry point, and how it reports errors.

A subcommand is a function in a module of its own, added below; the docstring of the module is its help. It
raises ``CommandError`` for what the operator
can mend and ``typer.Exit`` with an ``ExitCode`` for the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from scheduled_pipeline.cli.commands.account.adopt import adopt
from scheduled_pipeline.cli.commands.account.delete import delete_triggers
from scheduled_pipeline.cli.commands.account.describe import describe
from scheduled_pipeline.cli.commands.account.drift import drift
from scheduled_pipeline.cli.commands.account.list_triggers import list_triggers
from scheduled_pipeline.cli.commands.account.orphans import orphans
from scheduled_pipeline.cli.commands.assembly.next_runs import next_runs
from scheduled_pipeline.cli.commands.assembly.permissions import permissions
from scheduled_pipeline.cli.commands.project.verify import verify
from scheduled_pipeline.cli.commands.run.runs import runs
from scheduled_pipeline.cli.commands.run.start import start
from scheduled_pipeline.cli.errors import CommandError


class _Commands(TyperGroup):
    """Reports each error as one line on standard error, however the command is run."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the command and end the process."""
        options["standalone_mode"] = False
        try:
            code = super().main(args, *others, **options)
        except (CommandError, typer.TyperException) as error:
            text = str(error) if isinstance(error, CommandError) else error.format_message()
            if text:  # no text after the help has been shown in place of an error
                typer.echo(text if _is_help(error) else f"Error: {' '.join(text.split())}", err=True)
            code = error.exit_code
        sys.exit(code)


def _is_help(error: Exception) -> bool:
    """Whether the text of an error is the help, which is shown to those who name no subcommand."""
    return type(error).__name__ == "NoArgsIsHelpError"


app = typer.Typer(
    name="scheduled-pipeline",
    cls=_Commands,
    help="Answers an operator's questions about scheduled SageMaker pipelines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Help, too, has no colours and no boxes in a pipe.
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"scheduled-pipeline {version('scheduled-pipeline')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that come before a subcommand; ``help`` above is what is shown."""


def _add(name: str, command: Callable[..., None]) -> None:
    """Add a subcommand; its module's docstring is its help, wrapped to the width of the terminal."""
    paragraphs = (sys.modules[command.__module__].__doc__ or "").split("\n\n")
    app.command(name, help="\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs))(command)


_add("next", next_runs)
_add("list", list_triggers)
_add("describe", describe)
_add("delete", delete_triggers)
_add("orphans", orphans)
_add("adopt", adopt)
_add("drift", drift)
_add("permissions", permissions)
_add("start", start)
_add("runs", runs)
_add("verify", verify)


def main() -> None:
    """Run the command line; ends the process with one of ``ExitCode``."""
    app()
