"""What the functions of the samples use: a module of the project, which no container has."""

from __future__ import annotations

import enum
import json
import sys
from dataclasses import dataclass
from typing import Generic, TypeVar

# A module may have two names, as some libraries do to stay compatible.
sys.modules["function_helpers_as_they_were"] = sys.modules[__name__]

Value = TypeVar("Value")
UNITS = frozenset({"metre", "inch", "foot", "yard", "mile"})


class Kind(enum.Enum):
    MEAN = "mean"
    SUM = "sum"


@dataclass
class Summary(Generic[Value]):
    kind: Kind
    value: Value

    def text(self) -> str:
        return json.dumps({self.kind.value: self.value})


def summarise(numbers: list[float], kind: Kind = Kind.MEAN) -> Summary[float]:
    total = sum(numbers)
    return Summary(kind, total / len(numbers) if kind is Kind.MEAN else total)
