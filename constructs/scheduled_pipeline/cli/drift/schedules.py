"""Schedules and schedule groups."""

from __future__ import annotations

from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.calls import listed
from scheduled_pipeline.cli.account.scan import PAGE
from scheduled_pipeline.cli.drift.kind import Declared, Kind
from scheduled_pipeline.cli.drift.values import document, moment, pruned

_IDENTITY = ("Arn", "CreationDate", "GroupName", "LastModificationDate", "Name", "ResponseMetadata")
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_DEFAULTS = {"ActionAfterCompletion": "NONE", "ScheduleExpressionTimezone": "UTC", "State": "ENABLED"}
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
_RETRIES = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


class ScheduleKind(Kind):
    """``AWS::Scheduler::Schedule``, read with ``scheduler:GetSchedule``."""

    name = "schedule"
    template_type = "AWS::Scheduler::Schedule"

    def read(self, aws: Aws, declared: Declared) -> Any:
        """One call for a schedule: ListSchedules tells little more than the names."""
        client = aws.client("scheduler", declared.region)
        try:
            return client.get_schedule(GroupName=declared.group, Name=declared.name)
        except client.exceptions.ResourceNotFoundException:
            return None

    def template_form(self, declared: Declared) -> Any:
        """The properties, with the defaults of CreateSchedule."""
        return self.account_form(declared.properties)

    def account_form(self, answer: Any) -> Any:
        """The settings, with the same defaults, as GetSchedule may leave them out."""
        form = {
            **_DEFAULTS,
            **pruned({name: value for name, value in answer.items() if name not in _IDENTITY}),
        }
        for name in ("StartDate", "EndDate"):
            if name in form:
                form[name] = moment(form[name])
        target = form.get("Target")
        if isinstance(target, dict):
            retries = target.get("RetryPolicy", {})
            form["Target"] = {
                **target,
                "RetryPolicy": {**_RETRIES, **retries} if isinstance(retries, dict) else retries,
                **({"Input": document(target["Input"])} if "Input" in target else {}),
            }
        return form

    def put_back(self, aws: Aws, declared: Declared, answer: Any) -> None:
        """UpdateSchedule replaces all: what is not sent gets its default again."""
        request = {**declared.properties, "GroupName": declared.group, "Name": declared.name}
        aws.client("scheduler", declared.region).update_schedule(**request)


class GroupKind(Kind):
    """``AWS::Scheduler::ScheduleGroup``: whether it is there, with ``scheduler:GetScheduleGroup``."""

    name = "schedule group"
    template_type = "AWS::Scheduler::ScheduleGroup"

    def read(self, aws: Aws, declared: Declared) -> Any:
        """A group that is being deleted counts as gone."""
        client = aws.client("scheduler", declared.region)
        try:
            answer = client.get_schedule_group(Name=declared.name)
        except client.exceptions.ResourceNotFoundException:
            return None
        return answer if answer.get("State", "ACTIVE") == "ACTIVE" else None

    def template_form(self, declared: Declared) -> Any:
        """Nothing but its name, which is how it was found."""
        return {}

    def account_form(self, answer: Any) -> Any:
        """See ``template_form``."""
        return {}

    def put_back(self, aws: Aws, declared: Declared, answer: Any) -> None:
        """Nothing of a group can be changed."""


def names_in_group(aws: Aws, region: str, group: str) -> set[str]:
    """The names of the schedules in a group: ``scheduler:ListSchedules``; none when there is no group."""
    client = aws.client("scheduler", region)
    try:
        found = listed(client.list_schedules, "Schedules", GroupName=group, MaxResults=PAGE)
        return {summary["Name"] for summary in found}
    except client.exceptions.ResourceNotFoundException:
        return set()
