"""What a function with ``@step`` reads and writes in S3, beside what the request of its job names.

The places are those of the SDK's code in the container: ``sagemaker.core.remote_function``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.resolve import Resolver


def arguments(step: PlacedStep, resolver: Resolver) -> Iterator[Any]:
    """Yield the S3 URIs that a function is given: by an earlier step, a parameter or the definition.

    They are among the values behind ``--property_references``, which come in pairs of a name and a value.
    """
    command = _command(step)
    if "--property_references" not in command:
        return
    pairs = command[command.index("--property_references") + 1 :]
    for name, value in zip(pairs[::2], pairs[1::2], strict=False):
        if isinstance(name, str) and name.startswith("--"):
            return
        if resolver.text(value).text.startswith("s3://"):
            yield value


def exceptions(step: PlacedStep) -> str | None:
    """Return the folder that the SDK writes a function's exception to; ``*`` is the execution's id.

    ``invoke_function.main``: below the id and the step's name, which is not where results go.
    """
    command = _command(step)
    options = dict(zip(map(str, command), command[1:], strict=False))
    base, name = options.get("--s3_base_uri"), options.get("--pipeline_step_name")
    return f"{base}/*/{name}/exception" if isinstance(base, str) and isinstance(name, str) else None


def _command(step: PlacedStep) -> list[Any]:
    """Return the options that a job starts with, if it is that of a function; else nothing."""
    algorithm = step.arguments.get("AlgorithmSpecification")
    command = algorithm.get("ContainerArguments") if isinstance(algorithm, Mapping) else None
    mine = step.type == "Training" and isinstance(command, list) and "--pipeline_step_name" in command
    return list(command) if mine and isinstance(command, list) else []
