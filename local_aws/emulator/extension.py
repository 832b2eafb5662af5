"""Puts this package's services into MiniStack: its routing table, service handlers and hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app as ministack_app
from ministack.core import router
from ministack.services import eventbridge
from ministack.services import scheduler as ministack_scheduler

from local_aws.emulator import (
    access_logs,
    cloudformation,
    control,
    events,
    pipelines,
    repairs,
    sagemaker,
    scheduler,
    stack_operations,
    stack_resources,
    watch,
)
from local_aws.protocol import CONTROL_PREFIX

Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Callable[[], Any], Send], Awaitable[None]]


def install(*, on_ready: Callable[[], None]) -> Application:
    """Extend MiniStack; the application to serve, which calls ``on_ready`` when it has started."""
    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "credential_scope": "sagemaker",
    }
    ministack_app.SERVICE_HANDLERS["sagemaker"] = sagemaker.handle_request
    ministack_app.SERVICE_HANDLERS["scheduler"] = scheduler.handle_request
    # The clock of this package fires schedules and scheduled rules, so MiniStack's two tickers stay off.
    ministack_scheduler.start_scheduler = _nothing
    eventbridge.start_scheduler = _nothing
    eventbridge._invoke_target = events.invoke_target
    eventbridge._delete_rule = events.delete_rule
    eventbridge._validate_schedule_expression = events.is_schedule
    pipelines.status_listeners.append(events.announce)
    access_logs.install()
    cloudformation.install()
    repairs.install()
    stack_operations.install()
    stack_resources.install()
    watch.install()
    return _application(on_ready)


def _application(on_ready: Callable[[], None]) -> Application:
    async def application(scope: dict[str, Any], receive: Callable[[], Any], send: Send) -> None:
        async def watched(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                on_ready()

        if scope["type"] == "http" and scope["path"].startswith(CONTROL_PREFIX):
            await control.handle(scope, receive, send)
        elif scope["type"] == "lifespan":
            await ministack_app.app(scope, receive, watched)
        else:
            await ministack_app.app(scope, receive, send)

    return application


def _nothing() -> None:
    """Stands in for a ticker."""
