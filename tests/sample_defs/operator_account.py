"""An account of the local AWS with what an operator looks after, and the command in it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner, Result

from local_aws import LocalAws
from scheduled_pipeline.cli.main import app

REGION = "us-east-1"
_DEFINITION = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [{"Name": "Only"}]})
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["scheduler.amazonaws.com", "events.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@dataclass
class OperatorAccount:
    """Schedules are made disabled, so that none of them starts anything."""

    aws: LocalAws
    role: str

    @classmethod
    def open(cls, aws: LocalAws) -> OperatorAccount:
        role = aws.client("iam").create_role(RoleName="Start", AssumeRolePolicyDocument=_TRUST)
        return cls(aws=aws, role=role["Role"]["Arn"])

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments])

    def rows(self, *arguments: str) -> list[dict[str, str]]:
        """The lines of a command, by the names of their columns."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        names, *lines = (line.split("\t") for line in result.stdout.splitlines())
        return [dict(zip(names, line, strict=True)) for line in lines]

    def document(self, *arguments: str) -> Any:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def pipeline_arn(self, name: str, *, region: str = REGION, account: str | None = None) -> str:
        return f"arn:aws:sagemaker:{region}:{account or self.aws.account}:pipeline/{name}"

    def pipeline(self, name: str, *, region: str = REGION) -> None:
        self.aws.client("sagemaker", region=region).create_pipeline(
            PipelineName=name, PipelineDefinition=_DEFINITION, RoleArn=self.role
        )

    def schedule(
        self,
        name: str,
        *,
        arn: str | None = None,
        group: str = "default",
        region: str = REGION,
        target: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        scheduler = self.aws.client("scheduler", region=region)
        if group != "default" and group not in self.groups(region):
            scheduler.create_schedule_group(Name=group)
        usual = {
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "State": "DISABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
        }
        whole = {
            "Arn": arn or self.pipeline_arn("gone", region=region),
            "RoleArn": self.role,
            **(target or {}),
        }
        scheduler.create_schedule(Name=name, GroupName=group, Target=whole, **{**usual, **settings})

    def rule(
        self, name: str, *arns: str, bus: str = "default", region: str = REGION, **settings: Any
    ) -> None:
        events = self.aws.client("events", region=region)
        if bus not in {one["Name"] for one in events.list_event_buses()["EventBuses"]}:
            events.create_event_bus(Name=bus)
        events.put_rule(Name=name, EventBusName=bus, **(settings or {"EventPattern": '{"source": ["app"]}'}))
        targets = [
            {"Id": f"Target{place}", "Arn": arn, "RoleArn": self.role} for place, arn in enumerate(arns)
        ]
        events.put_targets(Rule=name, EventBusName=bus, Targets=targets)

    def stack(self, name: str, resources: dict[str, Any], *, region: str = REGION) -> None:
        """Deploy a template, and wait for its end."""
        cloudformation = self.aws.client("cloudformation", region=region)
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
        deadline = time.monotonic() + 15
        status = "CREATE_IN_PROGRESS"
        while status.endswith("_IN_PROGRESS") and time.monotonic() < deadline:
            status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            time.sleep(0.02)
        assert status == "CREATE_COMPLETE", status

    def export(self, name: str, value: str) -> None:
        """Deploy a stack that exports a value."""
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}
        template = {
            "Resources": {"Queue": queue},
            "Outputs": {"Out": {"Value": value, "Export": {"Name": name}}},
        }
        cloudformation = self.aws.client("cloudformation")
        cloudformation.create_stack(StackName=f"Exports{name}", TemplateBody=json.dumps(template))
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=f"Exports{name}", WaiterConfig={"Delay": 0.05}
        )

    def owned_schedule(self, name: str, *, pipeline: str, **properties: Any) -> dict[str, Any]:
        """The resource of a schedule."""
        usual = {
            "Name": name,
            "ScheduleExpression": "cron(0 4 * * ? *)",
            "State": "DISABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": self.pipeline_arn(pipeline), "RoleArn": self.role},
        }
        return {"Type": "AWS::Scheduler::Schedule", "Properties": {**usual, **properties}}

    def owned_rule(self, name: str, *, pipeline: str, **properties: Any) -> dict[str, Any]:
        """The resource of a rule."""
        target = {"Id": "Pipeline", "Arn": self.pipeline_arn(pipeline), "RoleArn": self.role}
        usual = {"Name": name, "EventPattern": {"source": ["app"]}, "Targets": [target]}
        return {"Type": "AWS::Events::Rule", "Properties": {**usual, **properties}}

    def groups(self, region: str = REGION) -> set[str]:
        found = self.aws.client("scheduler", region=region).list_schedule_groups()["ScheduleGroups"]
        return {group["Name"] for group in found}

    def schedules(self, region: str = REGION) -> set[str]:
        """Group, a slash and name of every schedule."""
        found = self.aws.client("scheduler", region=region).list_schedules()["Schedules"]
        return {f"{schedule['GroupName']}/{schedule['Name']}" for schedule in found}
