"""What recording the executions of a pipeline needs: as trials of an experiment, or as runs of MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition.permission import Permission, allow, arn, sagemaker, sagemaker_actions
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.table import step_type


def experiments(document: Mapping[str, Any], resolver: Resolver) -> Iterator[Permission]:
    """Yield what the service needs to record each execution as a trial of an experiment.

    Only when ``PipelineExperimentConfig`` is not null. By default the experiment has the pipeline's name and
    the trial the id of the execution; a component is named after its job:
    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-experiments.html
    """
    config = document.get("PipelineExperimentConfig")
    if not isinstance(config, Mapping):
        return
    named = resolver.text(config.get("ExperimentName", {"Get": "Execution.PipelineName"}))
    trial = resolver.text(config.get("TrialName", {"Get": "Execution.PipelineExecutionId"}))
    experiment = sagemaker("experiment", [named.text if named.complete else f"{named.text}*"])
    trials = sagemaker("experiment-trial", [trial.text if trial.complete else f"{trial.text}*"])
    steps = [(step, step_type(step.type).permissions.created) for step in resolver.outline.steps]
    jobs = [(step, created) for step, created in steps if created is not None and created.is_job]
    names = [name for step, created in jobs for name in created.names(step, resolver)]
    components = sagemaker("experiment-trial-component", dict.fromkeys(["pipelines-*", *names]))
    reason = "each execution is recorded as a trial of the pipeline's experiment"
    for noun, resources in (
        ("Experiment", experiment),
        ("Trial", (*experiment, *trials)),
        ("TrialComponent", components),
    ):
        verbs = [f"{verb}{noun}" for verb in ("Create", "Describe")]
        verbs += ["UpdateTrialComponent"] if noun == "TrialComponent" else []
        yield allow(sagemaker_actions(*verbs, "AddTags"), resources, reason)
    yield allow(sagemaker_actions("AssociateTrialComponent"), (*trials, *components), reason)


# What a client of a tracking server does to record a run; the SDK grants these and more to its own roles
# (sagemaker.core.helper.iam_policies, "mlflow_policy").
_MLFLOW = (
    *("CreateExperiment", "GetExperiment", "GetExperimentByName", "SearchExperiments", "SetExperimentTag"),
    *("CreateRun", "GetRun", "UpdateRun", "SearchRuns", "LogBatch", "LogInputs", "LogMetric", "LogModel"),
    *("LogParam", "SetTag"),
)


def mlflow(document: Mapping[str, Any], resolver: Resolver) -> Iterator[Permission]:
    """Yield what recording the executions with MLflow needs; only when ``MlflowConfig`` is not null."""
    config = document.get("MlflowConfig")
    if not isinstance(config, Mapping):
        return
    server = resolver.literal(config.get("MlflowResourceArn")) or arn("sagemaker", "mlflow-tracking-server/*")
    reason = "each execution is recorded as a run of MLflow"
    yield allow([f"sagemaker-mlflow:{action}" for action in _MLFLOW], server, reason)
    kind = "MlflowApp" if ":mlflow-app/" in server else "MlflowTrackingServer"
    yield allow(sagemaker_actions(f"Describe{kind}"), server, reason)
