"""Rules of EventBridge and their targets."""

from __future__ import annotations

import json
from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import AwsError
from scheduled_pipeline.cli.account.scan import rule_targets
from scheduled_pipeline.cli.drift.kind import Declared, Kind
from scheduled_pipeline.cli.drift.values import document, pruned

_SETTINGS = ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")


class RuleKind(Kind):
    """``AWS::Events::Rule``, read with ``events:DescribeRule`` and ``events:ListTargetsByRule``."""

    name = "rule"
    template_type = "AWS::Events::Rule"

    def read(self, aws: Aws, declared: Declared) -> Any:
        """The rule, with its targets as a template has them."""
        client, bus = aws.client("events", declared.region), declared.group or "default"
        try:
            rule = client.describe_rule(Name=declared.name, EventBusName=bus)
        except client.exceptions.ResourceNotFoundException:
            return None
        return {**rule, "Targets": rule_targets(client, bus, declared.name)}

    def template_form(self, declared: Declared) -> Any:
        """The properties, with the default of PutRule."""
        return self.account_form(declared.properties)

    def account_form(self, answer: Any) -> Any:
        """Pattern and inputs as documents, as the order of their members does not count."""
        form = {name: answer[name] for name in (*_SETTINGS, "Targets") if name in answer}
        # Within a pattern an empty text is a value like others.
        pattern = document(form.pop("EventPattern", None))
        form = {"State": "ENABLED", "Targets": [], **pruned(form)}
        if isinstance(form["Targets"], list):
            form["Targets"] = [_with_document(target) for target in form["Targets"]]
        return {**form, "EventPattern": pattern} if pattern else form

    def put_back(self, aws: Aws, declared: Declared, answer: Any) -> None:
        """PutRule replaces all; targets of other ids are not of the template and go."""
        client, bus = aws.client("events", declared.region), declared.group or "default"
        properties = declared.properties
        settings = {name: properties[name] for name in _SETTINGS if name in properties}
        if isinstance(settings.get("EventPattern"), dict):
            settings["EventPattern"] = json.dumps(settings["EventPattern"])
        client.put_rule(Name=declared.name, EventBusName=bus, **{"State": "ENABLED", **settings})
        targets = properties.get("Targets") or []
        wanted = {target["Id"] for target in targets}
        strange = [target["Id"] for target in answer["Targets"] if target["Id"] not in wanted]
        if targets:
            _check(client.put_targets(Rule=declared.name, EventBusName=bus, Targets=targets))
        if strange:
            _check(client.remove_targets(Rule=declared.name, EventBusName=bus, Ids=strange))


def _with_document(target: Any) -> Any:
    return {**target, "Input": document(target["Input"])} if "Input" in target else target


def _check(answer: Any) -> None:
    for failed in answer.get("FailedEntries", ()):
        raise AwsError(f"target {failed.get('TargetId')}: {failed.get('ErrorMessage')}")
