"""The container of a ``@step``: the SDK's own scripts, run where SageMaker would have put them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scheduled_pipeline.definition.parsed import Outline

if TYPE_CHECKING:
    from local_aws import LocalAws

EXECUTION_ID = "abcdefghijkl"
_SCRIPTS = "sagemaker_remote_function_bootstrap"


@dataclass
class StepContainer:
    """Runs jobs of a pipeline in a folder that stands for ``/opt/ml``, with the local AWS's S3.

    Attributes:
        document: the definition, with real buckets for all that is written to.
        files: what is below an S3 URI that a job reads from, by relative path.
        aws: the account.
        folder: a folder in it for each step.
        bucket: where results go.
    """

    document: Mapping[str, Any]
    files: Callable[[str], Mapping[str, bytes]]
    aws: LocalAws
    folder: Path
    bucket: str

    def run(
        self, step: str, *, exchange: Mapping[str, bytes] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Do what SageMaker does for one step: lay out its channels, then start its entry point.

        ``exchange`` has contents for files of the channels, put there behind the definition's back.
        """
        arguments = self.arguments(step)
        root = self.folder / step
        for channel in arguments["InputDataConfig"]:
            self._lay_out(channel, root / "input" / "data" / channel["ChannelName"])
        for name, content in (exchange or {}).items():
            (root / "input" / "data" / name).write_bytes(content)
        hosts = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
        (root / "input" / "config").mkdir()
        (root / "input" / "config" / "resourceconfig.json").write_text(
            json.dumps({**hosts, "current_instance_type": "ml.m5.large"})
        )
        algorithm = arguments["AlgorithmSpecification"]
        program, script = algorithm["ContainerEntrypoint"]
        return subprocess.run(
            [program, script.replace("/opt/ml", str(root)), *algorithm["ContainerArguments"]],
            cwd=root,
            env=self.environment(root) | arguments["Environment"],
            capture_output=True,
            text=True,
            check=False,
        )

    def arguments(self, step: str) -> dict[str, Any]:
        """Return the arguments of a step with its expressions resolved."""
        outline = Outline.of(self.document)
        resolved: dict[str, Any] = _resolved(dict(outline.by_name[step].arguments), outline)
        return resolved

    def environment(self, root: Path) -> dict[str, str]:
        """Return what the container's environment has: Python with the SDK, and nothing of this project."""
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "HOME": str(root),
            "LOGNAME": "root",
            "TRAINING_JOB_NAME": "job",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.aws.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": os.devnull,
        }

    def written(self) -> dict[str, bytes]:
        """Return all that is in the bucket, by key."""
        s3 = self.aws.client("s3")
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())]
        return {key: s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def _lay_out(self, channel: Mapping[str, Any], target: Path) -> None:
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        for name, content in self.files(uri).items():
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            here = str(target.parents[2]).encode() if target.name == _SCRIPTS else b"/opt/ml"
            place.write_bytes(content.replace(b"/opt/ml", here))


def _resolved(value: Any, outline: Outline) -> Any:
    """Resolve what a run would: parameters by their defaults, properties by the arguments of their steps."""
    if isinstance(value, list):
        return [_resolved(one, outline) for one in value]
    if isinstance(value, dict) and "Std:Join" in value:
        parts = [str(_resolved(one, outline)) for one in value["Std:Join"]["Values"]]
        return value["Std:Join"]["On"].join(parts)
    if isinstance(value, dict) and "Get" in value:
        area, rest = value["Get"].split(".", 1)
        return _got(area, rest, outline)
    if isinstance(value, dict):
        return {name: _resolved(one, outline) for name, one in value.items()}
    return value


def _got(area: str, rest: str, outline: Outline) -> Any:
    if area == "Execution":
        return EXECUTION_ID
    if area == "Parameters":
        return outline.parameters[rest][1]["DefaultValue"]
    step, *path = rest.replace("['", ".").replace("']", "").split(".")
    found: Any = outline.by_name[step].arguments
    for name in path:
        if isinstance(found, list):
            found = next(one for one in found if one["OutputName"] == name)
        else:
            found = found[name]
    return _resolved(found, outline)
