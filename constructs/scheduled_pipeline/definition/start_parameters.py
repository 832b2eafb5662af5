"""Where a trigger's parameters meet the parameters that a compiled definition declares."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence

from scheduled_pipeline.definition.model import PipelineParameter
from scheduled_pipeline.start_values import StartValue
from scheduled_pipeline.tokens import holds_token

_BOOLEANS = {"true", "false"}


def check_parameters(
    given: Mapping[str, str],
    declared: Sequence[PipelineParameter],
    where: str,
    late: Mapping[str, StartValue] | None = None,
) -> None:
    """Check what one trigger gives against what the pipeline declares.

    Of a value that is known only later (a CDK token, a context attribute of the scheduler, a JSON path into
    an event) only the name is checked, and that ``late`` does not rule it out.

    Args:
        given: values by parameter name, as the strings that are sent.
        declared: the pipeline's parameters.
        where: names the trigger in errors.
        late: what values that are known only later may be, by parameter name, as far as that is documented.

    Raises:
        ValueError: an unknown parameter, a value of a wrong type or outside the enum, or a parameter
            without a default that the trigger does not give.
    """
    known = {parameter.name: parameter for parameter in declared}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{where}: the pipeline has no parameter {name!r}; {_known(name, known)}")
        _check_value(known[name], value, where)
        if late is not None and name in late:
            _check_late(known[name], value, late[name], where)
    missing = [name for name, parameter in known.items() if parameter.default is None and name not in given]
    if missing:
        raise ValueError(
            f"{where}: must give {', '.join(missing)}: "
            "a parameter without a default has to be given by every trigger"
        )


def _check_value(parameter: PipelineParameter, value: str, where: str) -> None:
    if not _is_known(value):
        return
    try:
        parsed = _PARSERS.get(parameter.type, str)(value)
    except ValueError:
        raise ValueError(
            f"{where}: parameter {parameter.name!r} is of type {parameter.type}, got {value!r}"
        ) from None
    if parameter.enum is not None and parsed not in parameter.enum:
        allowed = ", ".join(repr(entry) for entry in parameter.enum)
        raise ValueError(f"{where}: parameter {parameter.name!r} must be one of {allowed}, got {value!r}")


def _check_late(parameter: PipelineParameter, value: str, late: StartValue, where: str) -> None:
    """Refuse what every start would refuse, at night, when nobody looks."""
    try:
        _PARSERS.get(parameter.type, str)(late.sample)
    except ValueError:
        raise ValueError(
            f"{where}: parameter {parameter.name!r} is of type {parameter.type}, got {value!r}, "
            f"which is {late}"
        ) from None
    if parameter.enum is not None and not any(late.may_be(str(entry)) for entry in parameter.enum):
        allowed = ", ".join(repr(entry) for entry in parameter.enum)
        raise ValueError(
            f"{where}: parameter {parameter.name!r} must be one of {allowed}, got {value!r}, which is {late}"
        )


def _is_known(value: str) -> bool:
    return not holds_token(value) and "<aws.scheduler." not in value and not value.startswith("$.")


def _boolean(value: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise ValueError(value)
    return value.lower() == "true"


def _integer(value: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", value):
        raise ValueError(value)
    return int(value)


def _float(value: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        raise ValueError(value)
    return float(value)


_PARSERS: dict[str, Callable[[str], object]] = {"Integer": _integer, "Float": _float, "Boolean": _boolean}


def _known(name: str, known: Mapping[str, PipelineParameter]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{hint}it has {', '.join(known) or 'none'}"
