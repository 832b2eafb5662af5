"""The app as a whole: what it synthesizes, and that it is the same everywhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

ROOT = Path(__file__).resolve().parents[2]
Synthesize = Callable[..., subprocess.CompletedProcess[str]]

STACKS = ("Abalone", "Artifacts", "DailyProcessing")


def test_every_stage_has_its_stacks(own_assembly: Path) -> None:
    found = sorted(
        artifact["properties"]["stackName"]
        for manifest in own_assembly.glob("assembly-*/manifest.json")
        for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    )
    assert found == sorted(f"{stage}-{stack}" for stage in ("Dev", "Prod") for stack in STACKS)


def test_there_is_no_finding_of_cdk_nag(own_assembly: Path) -> None:
    report = json.loads((own_assembly / "validation-report.json").read_text(encoding="utf-8"))
    assert report["pluginReports"] == []


def test_a_finding_ends_the_synth_and_is_named(
    synthesize: Synthesize, cache_folder: Path, tmp_path: Path
) -> None:
    project = _copy_of_the_project(tmp_path)
    stack = project / "stacks" / "artifact_stack.py"
    stack.write_text(stack.read_text(encoding="utf-8").replace("enforce_ssl=True", "enforce_ssl=False"))
    done = synthesize(project, tmp_path / "cdk.out", cache=cache_folder)
    assert done.returncode != 0
    assert "error: findings that are neither mended nor acknowledged:" in done.stderr
    assert "Dev/Artifacts/Artifacts/Resource: AwsSolutions-S10" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_upgrade_with_the_former_code_keys_has_no_finding(
    synthesize: Synthesize, cache_folder: Path, tmp_path: Path
) -> None:
    """As ``docs/operations.md`` has it, with the key in ``cdk.json``."""
    project = _copy_of_the_project(tmp_path)
    settings = json.loads((project / "cdk.json").read_text(encoding="utf-8"))
    settings["context"]["scheduled-pipeline:former-code-keys"] = True
    (project / "cdk.json").write_text(json.dumps(settings), encoding="utf-8")
    done = synthesize(project, tmp_path / "cdk.out", cache=cache_folder)
    assert done.returncode == 0, done.stderr
    (template,) = (tmp_path / "cdk.out" / "assembly-Dev").glob("DevAbalone*.template.json")
    assert re.search(r"/[0-9a-f]{64}/\*", template.read_text(encoding="utf-8"))


def test_a_slip_in_a_stack_is_one_sentence(
    synthesize: Synthesize, cache_folder: Path, tmp_path: Path
) -> None:
    project = _copy_of_the_project(tmp_path)
    stack = project / "stacks" / "daily_processing_stack.py"
    stack.write_text(stack.read_text(encoding="utf-8").replace('"RunDate"', '"RunDat"'))
    done = synthesize(project, tmp_path / "cdk.out", cache=cache_folder)
    assert done.returncode != 0
    assert re.match(
        r"error: stacks/daily_processing_stack\.py:\d+: Dev/DailyProcessing/DailyProcessing: "
        r"schedule 'Daily': the pipeline has no parameter 'RunDat'; did you mean 'RunDate'\?",
        done.stderr,
    )
    assert "Traceback" not in done.stderr


def test_a_slip_before_the_construct_names_its_line(
    synthesize: Synthesize, cache_folder: Path, tmp_path: Path
) -> None:
    project = _copy_of_the_project(tmp_path)
    stack = project / "stacks" / "abalone_stack.py"
    text = stack.read_text(encoding="utf-8").replace("Asia/Tokyo", "Asia/Tokio")
    stack.write_text(text)
    line = 1 + next(n for n, line in enumerate(text.splitlines()) if "PipelineSchedule.cron(" in line)
    done = synthesize(project, tmp_path / "cdk.out", cache=cache_folder)
    assert done.stderr.startswith(f"error: stacks/abalone_stack.py:{line}: timezone must be ")
    assert "Asia/Tokio" in done.stderr
    assert "Traceback" not in done.stderr


def test_cfn_lint_has_nothing_to_say(templates: dict[str, Path]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), *map(str, templates.values())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", [f"{stage}{stack}" for stage in ("Dev", "Prod") for stack in STACKS])
def test_the_template_is_as_it_was(
    name: str, templates: dict[str, Path], snapshot: SnapshotAssertion
) -> None:
    """A trip-wire: run pytest with --snapshot-update after a change that is meant."""
    (path,) = [path for stack, path in templates.items() if re.fullmatch(f"{name}[0-9A-F]{{8}}", stack)]
    assert _normalised(path) == snapshot(extension_class=JSONSnapshotExtension)


def test_the_same_bytes_in_another_folder_home_zone_and_hash_seed(
    own_assembly: Path, synthesize: Synthesize, tmp_path: Path
) -> None:
    project = _copy_of_the_project(tmp_path)
    done = synthesize(project, tmp_path / "cdk.out", TZ="Asia/Tokyo", PYTHONHASHSEED="7", LANG="de_DE.UTF-8")
    assert done.returncode == 0, done.stderr
    assert _bytes(tmp_path / "cdk.out") == _bytes(own_assembly)


def test_every_schedule_is_disabled_where_the_stage_says_so(feature_flags: dict[str, Any]) -> None:
    from dataclasses import replace

    from aws_cdk import App
    from aws_cdk.assertions import Template

    from stacks.pipeline_stage import PipelineStage
    from stacks.stages import DEV

    stage = PipelineStage(App(context=feature_flags), settings=replace(DEV, schedules_enabled=False))
    for stack in (stage.abalone, stage.daily_processing):
        Template.from_stack(stack).all_resources_properties("AWS::Scheduler::Schedule", {"State": "DISABLED"})


def _copy_of_the_project(folder: Path) -> Path:
    """Copy what the app needs; the construct is copied too and shadows the installed one."""
    project = folder / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("stacks", "pipeline_defs", "constructs"):
        shutil.copytree(ROOT / name, project / name, ignore=ignored)
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, project / name)
    return project


def _normalised(path: Path) -> Any:
    """A template without what changes with the code of the steps."""
    return json.loads(re.sub(r"\b[0-9a-f]{64}\b", "<sha256>", path.read_text(encoding="utf-8")))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
