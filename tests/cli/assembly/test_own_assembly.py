"""The command on the assembly that the CDK makes of this project's own app."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_every_schedule_of_the_app_is_printed_with_its_runs(
    own_assembly: Path, document: Callable[..., Any]
) -> None:
    found = document(own_assembly, "--count", "2")["schedules"]
    deployed = sum(
        resource["Type"] == "AWS::Scheduler::Schedule"
        for template in own_assembly.rglob("*.template.json")
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    )
    schedules = [one for one in found if one["kind"] == "schedule"]
    assert len(schedules) == deployed > 0
    assert {one["stack"].split("-")[0] for one in schedules} == {"Dev", "Prod"}
    assert all(one["problem"] is None for one in found)
    assert all(len(one["runs"]) == 2 for one in schedules if one["state"] == "ENABLED")


def test_the_names_that_the_app_chose_are_read(own_assembly: Path, document: Callable[..., Any]) -> None:
    found = document(own_assembly / "assembly-Prod")["schedules"]
    (nightly,) = (one for one in found if one["name"].endswith("-Nightly"))
    assert (nightly["stack"], nightly["timezone"]) == ("Prod-Abalone", "Asia/Tokyo")
    assert nightly["pipelines"][0].startswith("prodabalone-")
    assert "<" not in json.dumps(found)
