"""Compile pipelines twice, in two different worlds, and say where the two definitions differ.

A definition should depend on the project's files, its values and its Region alone: then it is the same on
every machine, and the cache of compiled pipelines, which knows these, is right about it. Each FUNCTION,
written module:function, is compiled without the cache in two new processes. The second has another date and
time, another order of sets and of the files in folders, and other random numbers where the build function
asks the system for them. The module random begins with the same seed in every compile, so it makes no
difference.

Run it where cdk synth is run. What is read from the environment is not covered: the two processes, like those
of a synth, have nothing of the user's.

Standard output has a line for each difference: FUNCTION, PATH, FIRST, SECOND, separated by tabs, and nothing
if there is none.

Exit codes: 0, all definitions are the same; 1, one differs or cannot be compiled, the others were checked; 2,
wrong usage.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.errors import ExitCode, UsageError
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.differences import differences
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.sandbox.protocol import Surroundings

# Another year, month, day, weekday, hour and minute.
_ANOTHER_DAY = (397 * 24 + 5) * 3600 + 427
_WORLDS = (
    Surroundings(),
    Surroundings(hash_seed=1, clock_offset=_ANOTHER_DAY, reverse_folders=True),
)
# A definition that differs in everything says no more with all of it.
_SHOWN = 20


def verify(
    functions: Annotated[
        list[str], typer.Argument(metavar="FUNCTION...", help="Build functions, each as module:function.")
    ],
    *,
    region: Annotated[str, typer.Option(help="The Region to compile for.")] = "us-east-1",
    partition: Annotated[str, typer.Option(help="The partition of the Region.")] = "aws",
    pipeline_name: Annotated[str, typer.Option(help="The physical name of the pipelines.")] = "verify",
    value: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE for context.value(NAME); a number or true is one as JSON writes it."),
    ] = None,
) -> None:
    """Compile each function in two worlds and print what differs: see this module."""
    definitions = [_definition(text) for text in functions]
    given: dict[str, Any] = {"region": region, "partition": partition, "pipeline_name": pipeline_name}
    given["values"] = dict(_value(text) for text in value or ())
    # Modules are looked for where `python app.py` would, which is not where this command is installed.
    sys.path.insert(0, str(Path.cwd()))
    compilers = [Compiler(world) for world in _WORLDS]
    failed = False
    try:
        for text, definition in zip(functions, definitions, strict=True):
            try:
                both = [compiler.compile(definition, **given) for compiler in compilers]
            except DefinitionError as error:
                typer.echo(f"Error: {error}", err=True)
                failed = True
            else:
                failed |= _report(text, both)
    finally:
        for compiler in compilers:
            compiler.close()
        sys.path.pop(0)
    if failed:
        raise typer.Exit(ExitCode.REFUSED)


def _report(function: str, both: Sequence[CompiledPipeline]) -> bool:
    """Print the differences of two compiles; returns whether there are any."""
    found = list(differences(both[0].document, both[1].document))
    for path, first, second in found[:_SHOWN]:
        printing.write("\t".join(" ".join(cell.split()) for cell in (function, path, first, second)))
    if not found:
        typer.echo(f"{function}: the same in both.", err=True)
        return False
    more = f"; {_SHOWN} of them are shown" if len(found) > _SHOWN else ""
    typer.echo(f"Error: {function}: {len(found)} values differ from compile to compile{more}.", err=True)
    return True


def _definition(text: str) -> PipelineDefinition:
    try:
        return PipelineDefinition.from_function(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _value(text: str) -> tuple[str, Value]:
    name, sign, given = text.partition("=")
    if not sign or not name:
        raise UsageError(f"--value must be NAME=VALUE, got {text!r}")
    try:
        found = json.loads(given)
    except ValueError:
        found = given
    return name, found if isinstance(found, str | int | float | bool) else given
