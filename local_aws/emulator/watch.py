"""Watches for triggers that point at a pipeline that is not there, after each call that could make one.

A deployment is many calls, and a trigger may fire between any two of them: what is there before and after it
says nothing of the moments between.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from local_aws.emulator import pipelines, sagemaker, scheduler, targets
from local_aws.emulator.api import Json
from local_aws.protocol import Dangling

Place = tuple[str, str]

# By account and Region: all that was ever seen, and what was there at the last look.
_log: Final[dict[Place, list[Dangling]]] = defaultdict(list)
_known: Final[dict[Place, set[tuple[str, str]]]] = defaultdict(set)


def seen() -> list[Dangling]:
    """What this account and Region had at any moment, oldest first; a pair is noted when it comes up."""
    return list(_log[_place()])


def look(after: str) -> None:
    """Note each enabled schedule and rule whose pipeline is not there, unless the last look noted it."""
    there = {pipeline.arn for pipeline in pipelines.store.values()}
    found = {(source, arn) for source, arn in _triggers() if arn not in there}
    for source, arn in sorted(found - _known[_place()]):
        _log[_place()].append(Dangling(source_arn=source, pipeline_arn=arn, after=after))
    _known[_place()] = found


def _place() -> Place:
    return get_account_id(), get_region()


def _triggers() -> Iterator[tuple[str, str]]:
    """The ARN of each enabled trigger of a pipeline, with that of the pipeline."""
    for schedule in scheduler.schedules.values():
        yield from _enabled(schedule, [schedule["Target"]])
    for key, rule in eventbridge._rules.items():
        yield from _enabled(rule, eventbridge._targets.get(key, []))


def _enabled(trigger: Json, trigger_targets: list[Json]) -> Iterator[tuple[str, str]]:
    for target in trigger_targets if trigger["State"] == "ENABLED" else ():
        name = _pipeline_name(target)
        if name is not None:
            yield trigger["Arn"], name.lower() if name.startswith("arn:") else pipelines.pipeline_arn(name)


def _pipeline_name(target: Json) -> str | None:
    """The name or the ARN of the pipeline that a target starts, if its request says one."""
    if targets.PIPELINE.fullmatch(target["Arn"]) is not None:
        return str(target["Arn"])
    if not target["Arn"].endswith(":aws-sdk:sagemaker:startPipelineExecution"):
        return None
    try:
        request = json.loads(target["Input"])
    except ValueError:
        return None
    name = request.get("PipelineName") if isinstance(request, dict) else None
    return None if name is None else str(name)


def install() -> None:
    """Look after every call that takes a pipeline away or points a trigger at one."""
    _watch(sagemaker._ACTIONS, "DeletePipeline")
    for operation in ("CreateSchedule", "UpdateSchedule"):
        _watch(scheduler._ACTIONS, operation)
    eventbridge._put_targets = _looking(eventbridge._put_targets, "PutTargets")
    eventbridge._put_rule = _looking(eventbridge._put_rule, "PutRule")
    handler = provisioners._RESOURCE_HANDLERS["AWS::Events::Rule"]
    handler["update"] = _looking(handler["update"], "PutTargets")


def _watch(actions: dict[str, Callable[[Json], Json]], operation: str) -> None:
    actions[operation] = _looking(actions[operation], operation)


def _looking(call: Callable[..., Any], operation: str) -> Callable[..., Any]:
    def and_look(*arguments: Any) -> Any:
        answer = call(*arguments)
        look(operation)
        return answer

    return and_look
