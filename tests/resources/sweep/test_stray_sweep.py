"""The sweep as it stands in a template: off by default, least privilege, bounded, in the right order."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from assembly_warnings import warnings_of
from aws_cdk import App, Environment, Stack, Validations
from aws_cdk.assertions import Match, Template
from template_parts import NewStack

from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline

ROOT = Path(__file__).resolve().parents[3]
HANDLER = ROOT / "constructs" / "scheduled_pipeline" / "resources" / "sweep" / "handler"


def _sweeping(stack: Stack, definition: PipelineDefinition) -> None:
    ScheduledPipeline(
        stack,
        "Training",
        definition=definition,
        pipeline_name="Training",
        schedules={"Hourly": PipelineSchedule.rate(timedelta(hours=1))},
        events={"Rate": EventTrigger.rate(timedelta(hours=6))},
        sweep_strays=True,
    )


@pytest.fixture(scope="session")
def sweeping_stack(new_stack: NewStack, definition: PipelineDefinition) -> Stack:
    stack = new_stack()
    _sweeping(stack, definition)
    return stack


@pytest.fixture(scope="session")
def template(sweeping_stack: Stack) -> Template:
    return Template.from_stack(sweeping_stack)


@pytest.fixture(scope="session")
def resources(template: Template) -> dict[str, Any]:
    return dict(template.to_json()["Resources"])


def test_express_mode_is_told_to_leave_strays(sweeping_stack: Stack) -> None:
    (told,) = warnings_of(sweeping_stack, kind="info")
    assert told.startswith("cdk deploy --express runs no custom resources: strays would stay")


def _needs(resources: dict[str, Any], logical_id: str) -> set[str]:
    """What is made before a resource and deleted after it, directly or not."""
    found: set[str] = set()
    waiting = [logical_id]
    while waiting:
        resource = resources[waiting.pop()]
        depends = resource.get("DependsOn", [])
        text = json.dumps(resource)
        direct = {
            other for other in resources if f'"Ref": "{other}"' in text or f'"Fn::GetAtt": ["{other}"' in text
        }
        direct |= {depends} if isinstance(depends, str) else set(depends)
        waiting += direct - found
        found |= direct
    return found


def _one(resources: dict[str, Any], kind: str, name: str = "") -> str:
    (logical_id,) = [key for key, value in resources.items() if value["Type"] == kind and name in key]
    return logical_id


def test_there_is_none_by_default(new_stack: NewStack, definition: PipelineDefinition) -> None:
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=definition)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::Lambda::Function", 0)
    template.resource_count_is("Custom::StraySweep", 0)


def test_it_names_the_pipeline_in_both_spellings(template: Template) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/"
    template.has_resource_properties(
        "Custom::StraySweep", {"PipelineArns": [f"{arn}training", f"{arn}Training"]}
    )


def test_it_runs_after_the_stacks_own_triggers_are_gone_and_before_the_pipeline_is(
    resources: dict[str, Any],
) -> None:
    sweep = _one(resources, "Custom::StraySweep")
    for trigger in ("AWS::Scheduler::Schedule", "AWS::Events::Rule"):
        assert sweep in _needs(resources, _one(resources, trigger)), trigger
    assert _one(resources, "AWS::SageMaker::Pipeline") in _needs(resources, sweep)


def test_it_still_has_its_role_and_its_log_when_it_runs(resources: dict[str, Any]) -> None:
    needs = _needs(resources, _one(resources, "Custom::StraySweep"))
    assert {
        _one(resources, "AWS::Lambda::Function"),
        _one(resources, "AWS::Logs::LogGroup"),
        _one(resources, "AWS::IAM::Role", "StraySweep"),
        _one(resources, "AWS::IAM::Policy", "StraySweep"),
    } <= needs


def test_it_cannot_hold_a_deletion_up_for_longer_than_five_minutes(template: Template) -> None:
    template.has_resource_properties("Custom::StraySweep", {"ServiceTimeout": "300"})
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Runtime": "python3.14",
            "Handler": "index.handler",
            "Timeout": 120,
            "ReservedConcurrentExecutions": Match.absent(),
        },
    )


def test_its_log_is_kept_for_a_month_and_goes_with_the_stack(template: Template) -> None:
    template.has_resource(
        "AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 30}, "DeletionPolicy": "Delete"}
    )


def test_it_may_do_what_it_does_and_nothing_else(resources: dict[str, Any]) -> None:
    policy = resources[_one(resources, "AWS::IAM::Policy", "StraySweep")]
    log_group = _one(resources, "AWS::Logs::LogGroup")
    allowed = {
        tuple(statement["Action"]): statement["Resource"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    }
    assert allowed == {
        (
            "cloudformation:DescribeStackResources",
            "events:ListEventBuses",
            "events:ListRuleNamesByTarget",
            "scheduler:ListSchedules",
        ): "*",
        (
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
        ): "arn:aws:scheduler:eu-west-1:111122223333:schedule/*/*",
        (
            "events:ListTargetsByRule",
            "events:RemoveTargets",
        ): "arn:aws:events:eu-west-1:111122223333:rule/*",
        ("cloudformation:DescribeStacks", "cloudformation:GetTemplate"): {"Ref": "AWS::StackId"},
        ("logs:CreateLogStream", "logs:PutLogEvents"): {"Fn::GetAtt": [log_group, "Arn"]},
    }
    role = resources[_one(resources, "AWS::IAM::Role", "StraySweep")]
    assert "ManagedPolicyArns" not in role["Properties"]


def test_the_code_that_is_deployed_is_the_folder_of_the_handler(
    sweeping_stack: Stack, template: Template
) -> None:
    app = sweeping_stack.node.root
    assert isinstance(app, App)
    folders = [path for path in Path(app.synth().directory).glob("asset.*") if path.is_dir()]
    files = {path.name: path.read_bytes() for folder in folders for path in folder.rglob("*")}
    assert files == {name: (HANDLER / name).read_bytes() for name in ("index.py", "start_target.py")}


@pytest.mark.parametrize("place", [("111122223333", "eu-west-1"), (None, None)])
def test_cdk_nag_finds_nothing_in_it(
    place: tuple[str | None, str | None],
    feature_flags: dict[str, Any],
    definition: PipelineDefinition,
    tmp_path: Path,
) -> None:
    from cdk_nag import AwsSolutionsChecks

    app = App(context=feature_flags, outdir=str(tmp_path), analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, "Stack", env=Environment(account=place[0], region=place[1]))
    _sweeping(stack, definition)
    with pytest.raises(RuntimeError, match="ExecutionPolicy"):  # the app's to acknowledge
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))
    found = {
        construct["constructPath"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert [path for path in found if "StraySweep" in path] == []


def test_it_passes_cfn_lint(sweeping_stack: Stack, template: Template) -> None:
    app = sweeping_stack.node.root
    assert isinstance(app, App)
    path = Path(app.synth().directory) / "Stack.template.json"
    lint = [str(Path(sys.executable).parent / "cfn-lint"), str(path)]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_the_function_reads_targets_as_the_rest_of_the_project_does() -> None:
    """Lambda gets its folder alone, so the folder has a copy; copy it again when the original changes."""
    original = ROOT / "constructs" / "scheduled_pipeline" / "trigger" / "start_target.py"
    assert (HANDLER / "start_target.py").read_bytes() == original.read_bytes(), f"cp {original} {HANDLER}"
