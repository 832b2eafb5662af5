"""Compile pipelines twice, in two different worlds, and say where the two definitions differ.

A definition should depend on the project's files, its values and its Region alone: then it is the same on
every machine, and the cache of compiled pipelines, which knows these, is right about it. Each FUNCTION,
written module:function, is compiled without the cache in two new processes. The second has another date and
time, another order of sets and of the files in folders, and other random numbers where the build function
asks the system for them. The module random begins with the same seed in every compile, so it makes no
difference. They are also compiled in another order there, from the last to the first, so that one that reads
what another has left behind, in a file of the project say, differs. What was left by an earlier run is there
for both: begin with a clean checkout.

Run it where cdk synth is run. What is read from the environment is not covered: the two processes, like those
of a synth, have nothing of the user's. Standard error says what has kept them from the network.

Standard output has a line for each difference: FUNCTION, PATH, FIRST, SECOND, separated by tabs, and nothing
if there is none.

Exit codes: 0, all definitions are the same; 1, one differs or cannot be compiled, the others were checked; 2,
wrong usage.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
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
    try:
        # The second first: what one has left in a file stays there, and the others have to be before it once.
        second = _compile(compilers[1], definitions[::-1], given)[::-1]
        first = _compile(compilers[0], definitions, given)
    finally:
        for compiler in compilers:
            compiler.close()
        sys.path.pop(0)
    reports = [_report(*one) for one in zip(functions, first, second, strict=True)]
    for guard in dict.fromkeys(str(compiler.guard) for compiler in compilers if compiler.guard is not None):
        typer.echo(f"guard: {guard}", err=True)
    if not all(reports):
        raise typer.Exit(ExitCode.REFUSED)


def _compile(
    compiler: Compiler, definitions: Sequence[PipelineDefinition], given: Mapping[str, Any]
) -> list[CompiledPipeline | DefinitionError]:
    """Compile all, one after the other; an error is a result too."""
    results: list[CompiledPipeline | DefinitionError] = []
    for definition in definitions:
        try:
            results.append(compiler.compile(definition, **given))
        except DefinitionError as error:
            results.append(error)
    return results


def _report(
    function: str, first: CompiledPipeline | DefinitionError, second: CompiledPipeline | DefinitionError
) -> bool:
    """Print the differences of two compiles; returns whether both were made and are the same."""
    if isinstance(first, DefinitionError) or isinstance(second, DefinitionError):
        errors = [str(one) for one in (first, second) if isinstance(one, DefinitionError)]
        for error in dict.fromkeys(errors):
            typer.echo(f"Error: {error}", err=True)
        if len(errors) == 1:
            typer.echo(f"Error: {function}: this is so in one of the two compiles alone.", err=True)
        return False
    found = list(differences(first.document, second.document))
    for path, *both in found[:_SHOWN]:
        printing.write("\t".join(" ".join(cell.split()) for cell in (function, path, *both)))
    if not found:
        typer.echo(f"{function}: the same in both.", err=True)
        return True
    more = f"; {_SHOWN} of them are shown" if len(found) > _SHOWN else ""
    typer.echo(f"Error: {function}: {len(found)} values differ from compile to compile{more}.", err=True)
    return False


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
