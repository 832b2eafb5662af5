"""Upserts pipelines with two schedules each, and deletes them, as the SDK does it: one call after the other.

`python bench/deploy_sdk.py <pipelines>`, with the endpoint in the environment; prints seconds.
"""

from __future__ import annotations

import json
import sys
import time

import boto3
from fleet_app import definition
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.triggers import PipelineSchedule

OPT_OUT = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Given(Pipeline):
    """A pipeline whose definition is the one that the fleet has."""

    def __init__(self, number: int, session: PipelineSession) -> None:
        super().__init__(name=f"sdk-{number}", steps=[], sagemaker_session=session)
        self.number = number

    def definition(self) -> str:
        return json.dumps(definition(self.number))


def main() -> None:
    count = int(sys.argv[1])
    boto_session = boto3.Session()
    session = PipelineSession(boto_session=boto_session, sagemaker_config=OPT_OUT)
    role = boto_session.client("iam").create_role(
        RoleName="sdk", AssumeRolePolicyDocument=json.dumps(TRUST), Path="/"
    )["Role"]["Arn"]
    pipelines = [Given(number, session) for number in range(count)]
    seconds = {name: _put(pipelines, role) for name in ("deploy", "unchanged")}
    started = time.perf_counter()
    for pipeline in pipelines:
        pipeline.delete_triggers([schedule.name for schedule in _schedules(pipeline)])
        pipeline.delete()
    print(json.dumps({**seconds, "destroy": time.perf_counter() - started}))


def _put(pipelines: list[Given], role: str) -> float:
    started = time.perf_counter()
    for pipeline in pipelines:
        pipeline.upsert(role_arn=role)
        pipeline.put_triggers(_schedules(pipeline), role_arn=role)
    return time.perf_counter() - started


def _schedules(pipeline: Given) -> list[PipelineSchedule]:
    return [
        PipelineSchedule(name=f"{pipeline.name}-nightly", cron="0 3 * * ? *"),
        PipelineSchedule(name=f"{pipeline.name}-weekly", cron="0 5 ? * MON *"),
    ]


if __name__ == "__main__":
    main()
