import json
from typing import Any

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.owners import Owner, Owners, _Resource, read_owners
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord


def owners_of(account: OperatorAccount) -> dict[str, str]:
    """The owners by kind, group and name; a hyphen is none."""
    rows = account.rows("list")
    return {f"{row['KIND']} {row['GROUP']}/{row['NAME']}": row["OWNER"] for row in rows}


def test_stacks_own_schedules_and_rules_on_every_bus(account: OperatorAccount) -> None:
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders"}}
    launch = account.owned_rule("launch", pipeline="gone", EventBusName="orders")
    account.stack("First", {"Nightly": account.owned_schedule("nightly", pipeline="gone")})
    account.stack(
        "Second",
        {
            "Bus": bus,
            "Launch": {**launch, "DependsOn": "Bus"},
            "Default": account.owned_rule("default", pipeline="gone"),
        },
    )
    account.rule("launch", account.pipeline_arn("gone"))
    account.rule("default", account.pipeline_arn("gone"), bus="orders")
    account.schedule("free")
    assert owners_of(account) == {
        "schedule default/nightly": "First",
        "schedule default/free": "-",
        "rule orders/launch": "Second",
        "rule default/default": "Second",
        # The same names on another bus are not theirs.
        "rule default/launch": "-",
        "rule orders/default": "-",
    }


@pytest.mark.parametrize("group", [{"Ref": "Group"}, "given"], ids=str)
def test_a_name_in_two_groups_is_told_apart(
    account: OperatorAccount, endpoint: FaultyEndpoint, group: Any
) -> None:
    resources = {"Nightly": account.owned_schedule("nightly", pipeline="gone", GroupName=group)}
    if group == "given":
        account.aws.client("scheduler").create_schedule_group(Name="given")
    else:
        resources["Group"] = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "given"}}
    account.stack("Owner", resources)
    account.schedule("nightly")
    assert owners_of(account) == {"schedule given/nightly": "Owner", "schedule default/nightly": "-"}
    assert endpoint.calls["cloudformation:GetTemplate"] == 1


def test_the_group_of_the_stack_itself_needs_no_template(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    nightly = account.owned_schedule("nightly", pipeline="gone", GroupName={"Ref": "Group"})
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "own"}}
    account.stack("Owner", {"Nightly": nightly, "Group": group})
    assert owners_of(account) == {"schedule own/nightly": "Owner"}
    assert endpoint.calls["cloudformation:GetTemplate"] == 0


def test_a_template_is_read_once_a_stack(account: OperatorAccount, endpoint: FaultyEndpoint) -> None:
    account.stack(
        "Owner",
        {f"S{number}": account.owned_schedule(f"s{number}", pipeline="gone") for number in range(20)},
    )
    assert set(owners_of(account).values()) == {"Owner"}
    assert endpoint.calls["cloudformation:GetTemplate"] == 1
    assert endpoint.calls["cloudformation:ListStackResources"] == 1


def test_a_schedule_of_a_deleted_stack_has_no_owner(account: OperatorAccount) -> None:
    nightly = account.owned_schedule("nightly", pipeline="gone")
    account.stack("Owner", {"Nightly": {**nightly, "DeletionPolicy": "Retain"}})
    account.aws.client("cloudformation").delete_stack(StackName="Owner")
    assert owners_of(account) == {"schedule default/nightly": "-"}


def test_a_stack_that_is_deleted_meanwhile_owns_nothing(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    account.stack("Owner", {"Nightly": account.owned_schedule("nightly", pipeline="gone")})
    endpoint.refuse(
        "cloudformation:ListStackResources", "ValidationError", "Stack with id Owner does not exist"
    )
    assert owners_of(account) == {"schedule default/nightly": "-"}


GROUP_UNKNOWN = [
    {"Fn::ImportValue": "group"},
    {"Ref": "Parameter"},
    {"Fn::Sub": "${Stage}-group"},
]


class Templates:
    """Answers GetTemplate."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def get_template(self, **_arguments: str) -> dict[str, Any]:
        return {"TemplateBody": self.body}


def record(**changes: Any) -> TriggerRecord:
    usual = {
        "kind": "schedule",
        "name": "nightly",
        "arn": "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/nightly",
        "group": "default",
        "state": "ENABLED",
        "target_arn": "",
        "pipeline": None,
    }
    return TriggerRecord(**{**usual, **changes})


def owners(body: Any, *, kind: str = "AWS::Scheduler::Schedule", physical_id: str = "nightly") -> Owners:
    resource = _Resource(stack_id="id", root="Root", logical_id="Nightly")
    return Owners(Templates(body), {(kind, physical_id): [resource]}, {})


def template(group: Any) -> dict[str, Any]:
    schedule = {"Type": "AWS::Scheduler::Schedule", "Properties": {"GroupName": group}}
    return {"Resources": {"Nightly": schedule}}


@pytest.mark.parametrize(
    "body",
    [*(template(group) for group in GROUP_UNKNOWN), "Resources:\n  Nightly: {}", {}],
    ids=str,
)
def test_a_group_that_the_template_does_not_tell_makes_the_owner_uncertain(body: Any) -> None:
    assert owners(body).of(record()) == Owner(name="Root", certain=False)


def test_an_uncertain_owner_keeps_the_trigger(account: OperatorAccount) -> None:
    """Better one that is left than one that is taken from a stack."""
    nightly = account.owned_schedule("nightly", pipeline="gone", GroupName={"Fn::Sub": "${AWS::StackName}"})
    account.aws.client("scheduler").create_schedule_group(Name="Owner")
    account.stack("Owner", {"Nightly": nightly})
    account.schedule("nightly")
    rows = account.rows("orphans", "--delete", "--yes")
    assert {(row["GROUP"], row["RESULT"], row["OWNER"]) for row in rows} == {
        ("Owner", "kept", "Owner"),
        ("default", "kept", "Owner"),
    }
    assert "in a group that its template does not tell" in rows[0]["NOTE"]


def test_a_schedule_without_a_group_is_in_the_default_group() -> None:
    body = {"Resources": {"Nightly": {"Type": "AWS::Scheduler::Schedule", "Properties": {}}}}
    assert owners(body).of(record()) == Owner(name="Root")
    assert owners(body).of(record(group="team")) is None


RULE = "arn:aws:events:eu-west-1:111122223333:rule"


@pytest.mark.parametrize(
    ("physical_id", "bus", "owned"),
    [
        ("launch", "default", True),
        ("launch", "orders", False),
        ("orders|launch", "orders", True),
        ("orders|launch", "default", False),
        ("orders|launch", "arn:aws:events:eu-west-1:999999999999:event-bus/orders", True),
        (f"{RULE}/orders/launch", "orders", True),
        (f"{RULE}/launch", "orders", False),
    ],
)
def test_the_physical_id_of_a_rule_names_its_bus(physical_id: str, bus: str, owned: bool) -> None:
    arn = f"{RULE}/launch" if bus == "default" else f"{RULE}/orders/launch"
    found = owners({}, kind="AWS::Events::Rule", physical_id=physical_id).of(
        record(kind="rule", name="launch", group=bus, arn=arn)
    )
    assert found == (Owner(name="Root") if owned else None)


def test_a_rule_that_a_service_made_is_the_services() -> None:
    managed = record(kind="rule", managed_by="states.amazonaws.com")
    assert owners({}).of(managed) == Owner(name="states.amazonaws.com")


class Stacks:
    """The CloudFormation of a root stack and one nested in it."""

    class meta:  # noqa: N801
        class service_model:  # noqa: N801
            @staticmethod
            def shape_for(_name: str) -> Any:
                return type("Shape", (), {"enum": ["CREATE_COMPLETE", "DELETE_COMPLETE"]})

    def list_stacks(self, StackStatusFilter: list[str]) -> Any:  # noqa: N803
        assert StackStatusFilter == ["CREATE_COMPLETE"]
        root = "arn:aws:cloudformation:eu-west-1:111122223333:stack/Root/1"
        nested = {"StackId": "nested", "StackName": "Root-Nested-1ABC", "RootId": root, "ParentId": root}
        return {"StackSummaries": [{"StackId": root, "StackName": "Root"}, nested]}

    def list_stack_resources(self, StackName: str) -> Any:  # noqa: N803
        if StackName != "nested":
            return {"StackResourceSummaries": []}
        summaries = [
            {
                "ResourceType": "AWS::Scheduler::Schedule",
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": physical_id,
                "ResourceStatus": status,
            }
            for logical_id, physical_id, status in (
                ("Nightly", "nightly", "CREATE_COMPLETE"),
                ("Deleted", "deleted", "DELETE_COMPLETE"),
                ("Failed", "", "CREATE_FAILED"),
            )
        ]
        return {"StackResourceSummaries": summaries}

    def get_template(self, **_arguments: str) -> Any:
        return {"TemplateBody": json.loads(json.dumps(template("default")))}


def test_a_nested_stack_is_reported_by_its_root() -> None:
    aws: Any = type("Aws", (), {"client": lambda self, service, region: Stacks()})()
    found = read_owners(aws, "eu-west-1", lambda text: None)
    assert found.of(record()) == Owner(name="Root")
    assert found.of(record(name="deleted")) is None


def test_owners_are_asked_for_in_the_region_of_the_trigger(account: OperatorAccount) -> None:
    account.stack("Owner", {"Nightly": account.owned_schedule("nightly", pipeline="gone")})
    account.schedule("nightly", region="eu-west-1")
    found = read_owners(Aws.connect(), "eu-west-1", lambda text: None)
    assert found.of(record()) is None
