"""A configuration file of the SDK that the build function names is read; those of the machine are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from cache_lab import Lab

from scheduled_pipeline.definition.model import DefinitionError

STEP = """
import os
from pathlib import Path

from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline

HERE = Path(__file__).parent
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"
{top}

def count():
    return 1

def build(context):
    {first}
    counted = step(count, name="Count", image_uri=IMAGE)()
    return Pipeline(name=context.pipeline_name, steps=[counted], sagemaker_session=context.session)
"""
OVERRIDE = "os.environ['SAGEMAKER_USER_CONFIG_OVERRIDE'] = "
IN_PROJECT = [
    "os.getcwd() + '/settings'",
    "os.getcwd() + '/settings/config.yaml'",
    "str(HERE / 'settings')",
    "'settings'",
    "'settings/config.yaml'",
]


def _write_config(path: Path, instance_type: str, *, module: str = "RemoteFunction") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = f"{{SageMaker: {{PythonSDK: {{Modules: {{{module}: {{InstanceType: {instance_type}}}}}}}}}}}"
    path.write_text(f"SchemaVersion: '1.0'\n{settings[1:-1]}\n")


def _define(lab: Lab, name: str, *, top: str = "", first: str = "pass") -> None:
    lab.write(f"{name}.py", STEP.format(top=top, first=first))


def _instance_type(lab: Lab, module: str) -> str:
    document = lab.compile(module).document
    return str(document["Steps"][0]["Arguments"]["ResourceConfig"]["InstanceType"])


@pytest.mark.parametrize("place", IN_PROJECT)
@pytest.mark.parametrize("where", ["top", "first"])
def test_a_file_or_a_folder_of_the_project_counts(lab: Lab, place: str, where: str) -> None:
    _write_config(lab.folder / "settings" / "config.yaml", "ml.m5.4xlarge")
    _define(lab, "in_project", **{where: OVERRIDE + place})
    assert _instance_type(lab, "in_project") == "ml.m5.4xlarge"


def test_a_change_of_it_is_a_miss(lab: Lab) -> None:
    config = lab.folder / "changing" / "config.yaml"
    _write_config(config, "ml.m5.4xlarge")
    _define(lab, "changing", top=OVERRIDE + "str(HERE / 'changing')")
    assert _instance_type(lab, "changing") == "ml.m5.4xlarge"
    assert lab.is_hit("changing")
    _write_config(config, "ml.m5.2xlarge")
    assert not lab.is_hit("changing")
    assert _instance_type(lab, "changing") == "ml.m5.2xlarge"


def test_so_is_a_change_of_one_outside_of_the_project(lab: Lab, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    _write_config(config, "ml.m5.4xlarge")
    _define(lab, "outside", top=f"{OVERRIDE}{str(config)!r}")
    assert _instance_type(lab, "outside") == "ml.m5.4xlarge"
    _write_config(config, "ml.m5.2xlarge")
    assert not lab.is_hit("outside")


def test_those_of_the_user_are_not_read(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (".config/sagemaker", ".sagemaker", "Library/Application Support/sagemaker"):
        _write_config(tmp_path / place / "config.yaml", "ml.m5.4xlarge")
    for name in (
        "HOME",
        "XDG_CONFIG_HOME",
        "SAGEMAKER_USER_CONFIG_OVERRIDE",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE",
    ):
        monkeypatch.setenv(name, str(tmp_path))
    first = "os.environ.pop('SAGEMAKER_USER_CONFIG_OVERRIDE')"
    _define(lab, "of_the_user", first=f"{first}; os.environ.pop('SAGEMAKER_ADMIN_CONFIG_OVERRIDE')")
    with pytest.raises(DefinitionError, match="instance_type"):
        _instance_type(lab, "of_the_user")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SchemaVersion: '1.0'\nSageMaker: [\n",
            r"broken, of the SageMaker Python SDK, is not YAML: [^$]*config\.yaml.*line 3",
        ),
        (
            "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modul: {}}}\n",
            r"broken, of the SageMaker Python SDK, is wrong at SageMaker\.PythonSDK: .*'Modul'",
        ),
    ],
)
def test_what_is_wrong_in_it_is_said(lab: Lab, text: str, message: str) -> None:
    lab.write("broken/config.yaml", text)
    _define(lab, "broken_one", top=OVERRIDE + "'broken'")
    with pytest.raises(DefinitionError, match=message) as caught:
        lab.compile("broken_one")
    assert len(str(caught.value)) < 1000


def test_one_that_is_missing_is_named(lab: Lab) -> None:
    _define(lab, "without", top=OVERRIDE + "str(HERE / 'absent')")
    with pytest.raises(DefinitionError, match=r"Unable to load the config file from the location: .*absent"):
        lab.compile("without")
