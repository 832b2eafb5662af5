"""Upserts pipelines with two schedules each, and deletes them, as the SDK does it: one call after the other.

``python bench/deploy_sdk.py <pipelines>``, with the endpoint in the environment; prints seconds.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace

import boto3
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.triggers import PipelineSchedule

from bench.fleet_definition import build

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


def pipeline_of(number: int, session: PipelineSession, role: str) -> Pipeline:
    """Return the pipeline that the fleet has too."""
    context = SimpleNamespace(
        account="111122223333",
        region=session.boto_region_name,
        role=role,
        session=session,
        pipeline_name=f"sdk-{number}",
        value=lambda _: number,
    )
    return build(context)


def main() -> None:
    count = int(sys.argv[1])
    boto_session = boto3.Session()
    session = PipelineSession(boto_session=boto_session, sagemaker_config=OPT_OUT)
    role = boto_session.client("iam").create_role(
        RoleName="sdk", AssumeRolePolicyDocument=json.dumps(TRUST), Path="/"
    )["Role"]["Arn"]
    pipelines = [pipeline_of(number, session, role) for number in range(count)]
    seconds = {name: _put(pipelines, role) for name in ("deploy", "unchanged")}
    started = time.perf_counter()
    for pipeline in pipelines:
        pipeline.delete_triggers([schedule.name for schedule in _schedules(pipeline)])
        pipeline.delete()
    print(json.dumps({**seconds, "destroy": time.perf_counter() - started}))


def _put(pipelines: list[Pipeline], role: str) -> float:
    started = time.perf_counter()
    for pipeline in pipelines:
        pipeline.upsert(role_arn=role)
        pipeline.put_triggers(_schedules(pipeline), role_arn=role)
    return time.perf_counter() - started


def _schedules(pipeline: Pipeline) -> list[PipelineSchedule]:
    return [
        PipelineSchedule(name=f"{pipeline.name}-nightly", cron="0 3 * * ? *"),
        PipelineSchedule(name=f"{pipeline.name}-weekly", cron="0 5 ? * MON *"),
    ]


if __name__ == "__main__":
    main()
