"""The options for compiling that the context of a stack gives."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from constructs import Construct, IConstruct

from scheduled_pipeline.definition.compiler.options import CompileOptions
from scheduled_pipeline.resources.jsii_cache import path_of, place_of

_known: WeakKeyDictionary[IConstruct, CompileOptions] = WeakKeyDictionary()


def compile_options(scope: Construct) -> CompileOptions:
    """Return the options of the stack that ``scope`` is in.

    Raises:
        ValueError: a context value is not one of those that are allowed.
    """
    stack = place_of(scope).stack
    if stack not in _known:
        _known[stack] = CompileOptions.of(stack.node.try_get_context, path_of(scope))
    return _known[stack]
