"""Where a definition meets the stack: what it is compiled for, and what is bound to its placeholders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from weakref import WeakKeyDictionary

from aws_cdk import Annotations
from aws_cdk.region_info import RegionInfo
from constructs import Construct, IConstruct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.compiler.compiler import shared_compiler
from scheduled_pipeline.definition.compiler.options import CompileOptions
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.validation.validate import Finding, check, validate
from scheduled_pipeline.resources.jsii_cache import is_token, path_of, place_of
from scheduled_pipeline.token_values import late_value

UNUSED_VALUE = "scheduled-pipeline:unused-value"
"""Id of the warning of a value that the build function never asks for."""

_options: WeakKeyDictionary[IConstruct, CompileOptions] = WeakKeyDictionary()


def compile_for(
    scope: Construct,
    source: PipelineDefinition,
    pipeline_name: str,
    values: Mapping[str, Value],
    suppress: Sequence[str],
    *,
    experiment_tracking: bool,
) -> CompiledPipeline:
    """Compile ``source`` for the Region of the construct's stack, and check it as SageMaker would.

    Raises:
        ValueError: the definition cannot be made, or is not what SageMaker accepts; the message names the
            construct and lists all findings but those of ``suppress``.
    """
    compiled = _compile(scope, source, pipeline_name, values)
    if not experiment_tracking:
        compiled = compiled.without_experiment()
    check(compiled.document, source=path_of(scope), suppress=suppress, findings=_findings(compiled))
    _warn_of_unused(scope, values, compiled.values_read)
    return compiled


def compile_ahead(
    scope: Construct, wanted: Iterable[tuple[PipelineDefinition, str, Mapping[str, Value]]]
) -> None:
    """Begin to compile the definitions that ``compile_for`` will be asked for in the stack of ``scope``.

    Returns at once; see ``Compiler.prefetch``. Errors are raised by ``compile_for``.

    Args:
        scope: the stack, or a construct in it.
        wanted: definition, physical pipeline name and values (the first of what ``split_values`` returns)
            of each, in the order in which they will be asked for. Definitions that were made elsewhere are
            left out.
    """
    region, partition, options = _region(scope), partition_of(scope), compile_options(scope)
    requests = [
        CompileRequest(
            function=source.function,
            region=region,
            partition=partition,
            pipeline_name=pipeline_name,
            values=values,
        )
        for source, pipeline_name, values in wanted
        if source.function is not None
    ]
    shared_compiler().prefetch(requests, cache=options.cache, timeout=options.timeout)


def compile_options(scope: Construct) -> CompileOptions:
    """Return the options for compiling that the context of the stack of ``scope`` gives.

    Raises:
        ValueError: a context value is not one of those that are allowed.
    """
    stack = place_of(scope).stack
    if stack not in _options:
        _options[stack] = CompileOptions.of(stack.node.try_get_context, path_of(scope))
    return _options[stack]


def _findings(compiled: CompiledPipeline) -> tuple[Finding, ...]:
    """Return what is wrong with a definition; one that was made elsewhere is validated, once."""
    return compiled.findings if compiled.findings is not None else _found_in(compiled.body)


@lru_cache(maxsize=64)
def _found_in(body: str) -> tuple[Finding, ...]:
    return validate(json.loads(body))


def _compile(
    scope: Construct, source: PipelineDefinition, pipeline_name: str, values: Mapping[str, Value]
) -> CompiledPipeline:
    if source.compiled is not None:
        return source.compiled
    region, partition = _region(scope), partition_of(scope)
    options = compile_options(scope)
    try:
        compiled = shared_compiler().compile(
            source,
            region=region,
            partition=partition,
            pipeline_name=pipeline_name,
            values=values,
            show_output=options.show_output,
            cache=options.cache,
            timeout=options.timeout,
        )
    except ValueError as error:
        raise type(error)(f"{scope.node.path}: {error}") from None
    if compiled.pipeline_name != pipeline_name:
        raise ValueError(
            f"{scope.node.path}: {source.function} named its pipeline {compiled.pipeline_name!r}, "
            f"but it is deployed as {pipeline_name!r}; write Pipeline(name=context.pipeline_name, ...), "
            f"and choose the name with pipeline_name={compiled.pipeline_name!r}"
        )
    return compiled


def split_values(scope: Construct, values: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return what the build function is given, and what is bound to the placeholders among it.

    The tokens in a string are placeholders until they are bound; see ``late_value``.

    Raises:
        TypeError: a value that is no string, number or boolean.
        ValueError: a number that is known at deploy time only.
    """
    given: dict[str, Value] = {}
    bindings: dict[str, str] = {}
    for name, value in values.items():
        if not isinstance(value, str | int | float | bool):
            raise TypeError(
                f"{scope.node.path}: values[{name!r}] must be a string, a number or a boolean, got {value!r}"
            )
        if not is_token(value):
            given[name] = value
        elif isinstance(value, str):
            given[name], bound = late_value(scope, name, value, partition_of(scope))
            bindings.update(bound)
        else:
            raise ValueError(
                f"{scope.node.path}: values[{name!r}] is a number that is known at deploy time only; "
                "pass it as a string: Token.as_string(...)"
            )
    return given, bindings


def check_bound(scope: Construct, body: str, bindings: Mapping[str, str]) -> None:
    """Refuse a definition in which a placeholder was changed, such as ``context.bucket.upper()``.

    Raises:
        ValueError: it names the line of the definition.
    """
    for line in placeholders.substitute(body, dict.fromkeys(bindings, "")).splitlines():
        if re.search(placeholders.ANY, line, re.IGNORECASE):
            raise ValueError(
                f"{scope.node.path}: the build function changed what the context gave it, "
                f"which is only known when the stack is deployed, in the line {line.strip()!r:.200}; "
                "use it as it is"
            )


def partition_of(scope: Construct) -> str:
    """Return the AWS partition of the stack's Region, ``aws`` where the Region is not known."""
    region = place_of(scope).region
    return "aws" if is_token(region) else _partition_of_region(region)


@cache
def _partition_of_region(region: str) -> str:
    return RegionInfo.get(region).partition or "aws"


def _region(scope: Construct) -> str:
    region = place_of(scope).region
    if is_token(region):
        raise ValueError(
            f"{scope.node.path}: the Region of the stack is not known, and the definition depends on it "
            "(image URIs); give the stack an env: Stack(..., env=Environment(region='eu-west-1'))"
        )
    return region


def _warn_of_unused(scope: Construct, values: Mapping[str, Value], read: frozenset[str]) -> None:
    for name in sorted(values.keys() - read):
        Annotations.of(scope).add_warning_v2(
            f"{UNUSED_VALUE}:{name}", f"values[{name!r}] is never asked for by the build function"
        )
