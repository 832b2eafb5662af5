"""The statuses that the product knows are the service's, by the pinned botocore and by the newest.

``make statuses`` writes down what the newest botocore has, with its version.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader

import scheduled_pipeline
from scheduled_pipeline.trigger import sagemaker_events
from scheduled_pipeline.trigger.event import EventTrigger

NEWEST = Path(__file__).with_name("newest_statuses.json")
MODEL = "botocore/data/sagemaker/2017-07-24/service-2.json.gz"
KNOWN = {
    "PipelineExecutionStatus": sagemaker_events.PIPELINE_EXECUTION_STATUSES,
    "TrainingJobStatus": sagemaker_events.TRAINING_JOB_STATUSES,
    "EndpointStatus": sagemaker_events.ENDPOINT_STATUSES,
    "ModelApprovalStatus": sagemaker_events.MODEL_APPROVAL_STATUSES,
}
"""By the name of the shape in the model."""


def statuses(model: dict[str, Any]) -> dict[str, list[str]]:
    """What the model has for each shape."""
    return {name: model["shapes"][name]["enum"] for name in KNOWN}


def write(wheel: Path) -> None:
    """Write down what a wheel of botocore has."""
    with zipfile.ZipFile(wheel) as archive:
        model = json.loads(gzip.decompress(archive.read(MODEL)))
    version = wheel.name.split("-")[1]
    source = f"{MODEL} of botocore {version}, from PyPI"
    document = {"source": source, "botocore": version, "statuses": statuses(model)}
    NEWEST.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def newest() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(NEWEST.read_text(encoding="utf-8"))
    return document


def pinned() -> dict[str, list[str]]:
    return statuses(Loader().load_service_model("sagemaker", "service-2"))


def as_events_write_them(shape: str, names: list[str]) -> set[str]:
    if shape != "EndpointStatus":
        return set(names)
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() for name in names}


@pytest.mark.parametrize("shape", KNOWN)
@pytest.mark.parametrize("model", ["pinned", "newest"])
def test_every_status_of_the_service_is_known(shape: str, model: str) -> None:
    theirs = pinned() if model == "pinned" else newest()["statuses"]
    assert as_events_write_them(shape, theirs[shape]) - set(KNOWN[shape]) == set()


@pytest.mark.parametrize("shape", KNOWN)
def test_no_other_status_is(shape: str) -> None:
    theirs = {*pinned()[shape], *newest()["statuses"][shape]}
    assert set(KNOWN[shape]) - as_events_write_them(shape, sorted(theirs)) == set()


def test_what_is_written_down_is_not_older_than_the_pin() -> None:
    versions = (newest()["botocore"], botocore.__version__)
    written, installed = (tuple(int(part) for part in version.split(".")) for version in versions)
    assert written >= installed, "run make statuses"


def test_a_trigger_may_wait_for_every_status_of_an_execution() -> None:
    names = newest()["statuses"]["PipelineExecutionStatus"]
    pattern = EventTrigger.pipeline_execution_status_change(status=names).event_pattern
    assert pattern is not None
    assert pattern["detail"] == {"currentPipelineExecutionStatus": names}


def test_whether_an_execution_goes_on_is_told_in_one_place() -> None:
    """Elsewhere its status is asked, so that one more of them changes one file."""
    package = Path(scheduled_pipeline.__file__).parent
    found = {
        path.name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in {"Executing", "Stopping"}
    }
    assert found == {"sagemaker_events.py"}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
