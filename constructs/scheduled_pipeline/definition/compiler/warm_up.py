"""``warm_up``: compile what has changed while the CDK is still loading."""

from __future__ import annotations

import json
from collections.abc import Iterable

from scheduled_pipeline.definition.compiler.compiler import project_of, shared_compiler
from scheduled_pipeline.definition.compiler.options import CompileOptions


def warm_up(context: str | None = None, *, regions: Iterable[str] = ()) -> None:
    """Begin to compile those definitions of the last synth that have changed since; returns at once.

    Call it first in ``app.py``, before the CDK is imported. If nothing has changed, nothing is started. If
    nobody knows what the last synth asked for, the SDK is imported ahead for each of ``regions``. What comes
    of the synth is the same with and without it: files that the app writes after this call count as they are
    when the construct is made.

    Args:
        context: the context of the app as JSON, which the CDK CLI hands to it in ``CDK_CONTEXT_JSON``: it may
            say where the cache is. Default: none.
        regions: AWS Regions of the app's stacks, for example ``eu-west-1``. Default: none.

    Raises:
        ValueError: a context value is not one of those that are allowed.
    """
    options = CompileOptions.of(json.loads(context or "{}").get, "app")
    compiler = shared_compiler()
    cache = options.cache
    requests = cache.remembered(project_of(cache)) if cache is not None else []
    if requests and not options.show_output:
        compiler.prefetch(requests, cache=cache, timeout=options.timeout, early=True)
    else:
        for region in regions:
            compiler.start(region, cache=cache)
