"""One account that is bootstrapped once, the CDK CLI for every app in it, and the fault matrix."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fault_report import PROPERTY

if TYPE_CHECKING:
    from fault_matrix import Row
    from lifecycle_app import Plan

    from local_aws.cdk_cli import CdkCli
    from local_aws.inventory import Inventory
    from local_aws.server import LocalAws

ACCOUNT = "444455556666"
_PATIENCE_SECONDS = 60
_ROW = pytest.StashKey["Row"]()


@dataclass
class Cloud:
    """The account, and what is deployed in it.

    Attributes:
        aws: seen from the account.
        cli: for no app yet.
        toolkit: what was there before: what bootstrapping made, and the role.
        notebook_role: the ARN of a role as the SageMaker SDK wants it for a trigger.
        base: the plan that most tests start from: a pipeline with two schedules.
        plan: the plan whose stack ``Lifecycle`` is there now, or None.
    """

    aws: LocalAws
    cli: CdkCli
    toolkit: Inventory
    notebook_role: str
    base: Plan
    plan: Plan | None
    _context: Mapping[str, Any]
    _assemblies: list[tuple[Plan, Path]] = field(default_factory=list)

    def cdk(self, plan: Plan) -> CdkCli:
        """The CDK CLI for the cloud assembly of a plan, which is made once."""
        from lifecycle_app import synthesize

        for known, folder in self._assemblies:
            if known == plan:
                return replace(self.cli, app=str(folder))
        folder = self.cli.folder / f"cdk.out-{len(self._assemblies)}"
        synthesize(plan, folder, self._context)
        self._assemblies.append((plan, folder))
        return replace(self.cli, app=str(folder))

    def deploy(self, plan: Plan) -> str:
        """Deploy a plan over what is there; what the CLI printed."""
        self.plan = None
        printed = self.cdk(plan).deploy()
        self.plan = plan
        return printed

    def be(self, plan: Plan) -> None:
        """Have a plan deployed, whatever the test before has left."""
        if self.plan != plan:
            self.deploy(plan)

    def be_gone(self) -> None:
        """Have no stack ``Lifecycle``, whatever the test before has left."""
        if "Lifecycle" in self.aws.inventory().stacks:
            self.destroy()

    def destroy(self, plan: Plan | None = None) -> str:
        """Destroy the stack of a plan. Default: that of the base."""
        self.plan = None
        return self.cdk(plan or self.base).destroy()

    def names(self, kind: str) -> list[str]:
        """The names of a kind, without their group, bus or role."""
        added = self.aws.inventory().added_since(self.toolkit).get(kind, ())
        return [name.rsplit("/", 1)[-1] for name in added]

    def schedule(self, name: str) -> dict[str, Any]:
        """GetSchedule, in the group that has a schedule of this name."""
        (group,) = {
            group
            for group, found in (entry.split("/") for entry in self.aws.inventory().schedules)
            if found == name
        }
        return dict(self.aws.client("scheduler").get_schedule(GroupName=group, Name=name))

    def executions(self, pipeline: str = "Lifecycle") -> list[dict[str, str]]:
        """The parameters of each execution, newest first."""
        sagemaker = self.aws.client("sagemaker")
        found = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        return [
            {
                parameter["Name"]: parameter["Value"]
                for parameter in sagemaker.list_pipeline_parameters_for_execution(
                    PipelineExecutionArn=summary["PipelineExecutionArn"]
                )["PipelineParameters"]
            }
            for summary in found
        ]

    def go_on(self) -> str:
        """Give CloudFormation the signal that it waits for; the status it comes to."""
        cloudformation = self.aws.client("cloudformation")
        found = cloudformation.describe_stack_resource(StackName="Lifecycle", LogicalResourceId="Handle")
        url = found["StackResourceDetail"]["PhysicalResourceId"]
        body = json.dumps({"Status": "SUCCESS", "UniqueId": "test", "Reason": "", "Data": ""}).encode()
        # "The request method must be PUT and the Content-Type header must be an empty string or omitted."
        request = urllib.request.Request(url, body, headers={"Content-Type": ""}, method="PUT")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()
        return self.settled_status()

    def settled_status(self, stack: str = "Lifecycle") -> str:
        """The status that a stack comes to."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.stack_status(stack).endswith("_IN_PROGRESS") and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.stack_status(stack)

    def stack_status(self, name: str = "Lifecycle") -> str:
        """The status of a stack."""
        stacks = self.aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return str(stacks[0]["StackStatus"])


@pytest.fixture(scope="session")
def cloud(
    local_aws: LocalAws,
    tmp_path_factory: pytest.TempPathFactory,
    feature_flags: dict[str, Any],
    small_definition: dict[str, Any],
) -> Cloud:
    """A bootstrapped account, shared: each test deploys what it starts from."""
    from lifecycle_app import Plan

    from local_aws.cdk_cli import CdkCli
    from scheduled_pipeline import PipelineSchedule

    folder, home = tmp_path_factory.mktemp("lifecycle"), tmp_path_factory.mktemp("home")
    aws = replace(local_aws, account=ACCOUNT)
    cli = CdkCli(aws=aws, folder=folder, home=home)
    cli.bootstrap()
    role = _make_notebook_role(aws.client("iam"))
    schedules = {
        "Nightly": PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo", parameters={"Count": 2}),
        "Weekly": PipelineSchedule.cron("0 4 ? * SUN *"),
    }
    base = Plan(definition=small_definition, schedules=schedules)
    return Cloud(
        aws=aws,
        cli=cli,
        toolkit=aws.inventory(),
        notebook_role=role,
        base=base,
        plan=None,
        _context=feature_flags,
    )


def _make_notebook_role(iam: Any) -> str:
    """Make a role that SageMaker and the scheduler may assume, and that may do all; its ARN."""
    services = ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trusted, allowed = (
        json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for statement in (trust, everything)
    )
    made = iam.create_role(RoleName="notebook", AssumeRolePolicyDocument=trusted)
    iam.put_role_policy(RoleName="notebook", PolicyName="Everything", PolicyDocument=allowed)
    return str(made["Role"]["Arn"])


@pytest.fixture
def row(cloud: Cloud, request: pytest.FixtureRequest) -> Row:
    """The row of a test in the fault matrix, counted from here; the test's name is its title."""
    from fault_matrix import Row

    title = request.node.name.removeprefix("test_").replace("_", " ")
    row = Row(title=title, aws=cloud.aws, toolkit=cloud.toolkit)
    row.begin()
    request.node.stash[_ROW] = row
    return row


@pytest.fixture
def kill(cloud: Cloud) -> Iterator[Callable[[Plan, Callable[[], bool]], None]]:
    """Start a deployment and kill the CLI, with all its processes, as soon as something is so."""
    started: list[Any] = []

    def deploy_and_kill(plan: Plan, when: Callable[[], bool]) -> None:
        cloud.plan = None
        process = cloud.cdk(plan).start("deploy", "**", "--require-approval", "never")
        started.append(process)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not when():
            assert process.poll() is None, "the CLI ended before it could be killed"
            assert time.monotonic() < deadline, "what was waited for did not come"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    yield deploy_and_kill
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    there = "Lifecycle" in cloud.aws.inventory().stacks
    if there and cloud.stack_status() in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
        cloud.go_on()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send the row with the report: another process may print the matrix."""
    report = yield
    row = item.stash.get(_ROW, None)
    if row and (report.when == "call" or (report.when == "setup" and report.failed)):
        report.user_properties.append((PROPERTY, row.with_outcome(report.outcome)))
    return report
