"""``CompileRequest``: a definition that is wanted, and for what."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from scheduled_pipeline.definition.compiler.source import FunctionReference, parse_reference
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.sandbox.protocol import Request
from scheduled_pipeline.definition.typed_json import read_as

_NAMES = re.compile(r"[a-z0-9-]+ aws[a-z-]* [A-Za-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True)
class CompileRequest:
    """A build function and all that its context gives it.

    Attributes:
        function: the build function.
        region: the AWS Region, for example ``eu-west-1``; image URIs depend on it.
        partition: the AWS partition of the Region, for example ``aws``.
        pipeline_name: the pipeline's physical name.
        values: what ``context.value(name)`` answers.
    """

    function: FunctionReference
    region: str
    partition: str
    pipeline_name: str
    values: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> CompileRequest:
        """Return the request that ``text`` came from.

        Raises:
            ValueError: it came from none.
        """
        request = read_as(cls, json.loads(text, parse_constant=_refuse), "the request")
        parse_reference(str(request.function))
        if not _NAMES.fullmatch(f"{request.region} {request.partition} {request.pipeline_name}"):
            raise ValueError(
                f"the request is for no Region, partition or pipeline that there can be: {text!r:.80}"
            )
        return request

    @property
    def text(self) -> str:
        """The request as JSON, the same for equal requests; it tells ``1`` from ``1.0`` and from ``true``."""
        function = {"module": self.function.module, "function": self.function.function}
        return json.dumps({"function": function, **self._context}, sort_keys=True)

    def asked(self, staging: Path, deadline: float) -> Request:
        """Return what the child process is asked for.

        Args:
            staging: where it puts the files of uploads.
            deadline: when the build function is ended, as ``time.monotonic`` has it.
        """
        return Request(
            module=self.function.module,
            function=self.function.function,
            staging=str(staging),
            deadline=deadline,
            **self._context,
        )

    @property
    def _context(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "partition": self.partition,
            "pipeline_name": self.pipeline_name,
            "values": dict(self.values),
        }


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")
