"""Schedules as the SageMaker SDK makes and leaves them: ``put_triggers``, then ``Pipeline.delete``.

Run as a program, as importing the SDK takes seconds; what to make is JSON on standard input: a list of
objects with region, pipeline, group, role, and schedules by name. The pipelines exist; they are gone
afterwards.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def leave_behind(region: str, pipeline: str, group: str, schedules: dict[str, Any], role: str) -> None:
    """Put the schedules and delete their pipeline; the SDK has to be told of any group but ``default``."""
    import boto3
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.triggers import PipelineSchedule

    session = Session(boto_session=boto3.Session(region_name=region), sagemaker_config={})
    made = Pipeline(name=pipeline, steps=[], sagemaker_session=session)
    if group != "default":

        def add_group(params: dict[str, Any], **_others: Any) -> None:
            params["GroupName"] = group

        client = made._event_bridge_scheduler_helper.event_bridge_scheduler_client
        client.meta.events.register("provide-client-params.scheduler.*", add_group)
    made.put_triggers(
        [
            PipelineSchedule(name=name, enabled=False, **{kind: tuple(value) if kind == "rate" else value})
            for name, (kind, value) in schedules.items()
        ],
        role_arn=role,
    )
    made.delete()


if __name__ == "__main__":
    for one in json.load(sys.stdin):
        leave_behind(**one)
