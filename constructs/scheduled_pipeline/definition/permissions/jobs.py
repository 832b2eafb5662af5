"""What steps need of SageMaker: their jobs, models, endpoints, and what is recorded of them.

"Create and Describe permissions for each of the job types in the pipeline", and the names of jobs, are in
https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html; the types of resources in
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, arn, sagemaker
from scheduled_pipeline.definition.resolve import Resolver

# What a step creates: the API's noun, the type in an ARN, the member with its name.
_CREATES: Mapping[str, tuple[str, str, str]] = {
    "Processing": ("ProcessingJob", "processing-job", "ProcessingJobName"),
    "QualityCheck": ("ProcessingJob", "processing-job", "ProcessingJobName"),
    "ClarifyCheck": ("ProcessingJob", "processing-job", "ProcessingJobName"),
    "Training": ("TrainingJob", "training-job", "TrainingJobName"),
    "Transform": ("TransformJob", "transform-job", "TransformJobName"),
    "Tuning": ("HyperParameterTuningJob", "hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "AutoML": ("AutoMLJob", "automl-job", "AutoMLJobName"),
    "Job": ("Job", "job", "JobName"),
    "Model": ("Model", "model", "ModelName"),
    "EndpointConfig": ("EndpointConfig", "endpoint-config", "EndpointConfigName"),
    "Endpoint": ("Endpoint", "endpoint", "EndpointName"),
    "InferenceComponent": ("InferenceComponent", "inference-component", "InferenceComponentName"),
}
_STOPPED = frozenset(
    {"Processing", "QualityCheck", "ClarifyCheck", "Training", "Transform", "Tuning", "AutoML", "Job"}
)
_UPDATED = frozenset({"Endpoint", "InferenceComponent"})
# The names of these have at most 32 characters (CreateHyperParameterTuningJob, CreateAutoMLJob), too few for
# `pipelines-<execution>-<first 20 of the step>-<token>-<count>`. AWS says only that a prefix has 6 of them
# ("Prefix length restrictions" in build-and-manage-access.html); the rest are the execution's id, a token and
# a count. That the names begin with the id, of 12, and the step's name is seen in practice, not documented.
_SHORT_NAMES = frozenset({"Tuning", "AutoML"})
_EXECUTION_ID = "?" * 12
_STEP_LETTERS = 7
# CreateAutoMLJob API: Execution Role Permissions, in sagemaker-roles.html.
_AUTOML_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "model": ("CreateModel", "DescribeModel", "DeleteModel"),
    "endpoint-config": ("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
    "endpoint": ("CreateEndpoint", "DescribeEndpoint", "DeleteEndpoint", "InvokeEndpoint"),
}
# A check of a model asks an endpoint that it makes for that time:
# https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-run.html. AWS's pages do not give
# the names; public policies for Clarify have `sm-clarify-*`. `endpoint_name_prefix` in the SDK's ModelConfig
# makes others; that is in a file, which nobody sees here.
_CLARIFY_ENDPOINTS = ("sm-clarify-*", "pipelines-*")


def permissions(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what a step needs of SageMaker itself."""
    yield from _created(step, resolver)
    yield from _registry(step, resolver)
    if step.type == "AutoML":
        for kind, verbs in _AUTOML_ACTIONS.items():
            resources = sagemaker(kind, _names(step, resolver, ""))
            yield allow(_actions(*verbs, "AddTags"), resources, "the job tries candidates", step=step.name)
    if step.type == "ClarifyCheck" and step.body.get("ModelName") is not None:
        yield from _shadow_endpoint(step, resolver)
    if step.type == "Lineage":
        yield from _lineage(step, resolver)


def _created(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    if step.type not in _CREATES:
        return
    noun, kind, member = _CREATES[step.type]
    verbs = ["Create", "Describe"]
    verbs += ["Stop"] if step.type in _STOPPED else ["Update"] if step.type in _UPDATED else []
    names = _names(step, resolver, member)
    resources = list(sagemaker(kind, names))
    if step.type == "Endpoint":
        config = resolver.literal(step.arguments.get("EndpointConfigName"))
        own = _configurations(step, resolver) if config is None else [config]
        resources += sagemaker("endpoint-config", own)
    if step.type == "InferenceComponent":
        resources += sagemaker("endpoint", _endpoints(step, resolver))
    if step.type == "Job":
        resources += sagemaker(kind, [f"*/{name}" for name in names])
    actions = _actions(*(f"{verb}{noun}" for verb in verbs), "AddTags")
    if step.type == "Tuning":
        actions = [*actions, "sagemaker:ListTrainingJobsForHyperParameterTuningJob"]
    yield allow(actions, resources, f"the step runs a {noun}", step=step.name)


def _names(step: PlacedStep, resolver: Resolver, member: str) -> list[str]:
    """Return the names that the service gives to what a step creates.

    They begin with ``pipelines-``, or with the name in the arguments: "Customize access management for
    Pipelines jobs" in build-and-manage-access.html. A notebook job has always a name.
    """
    names = ["pipelines-*"]
    if step.type in _SHORT_NAMES:
        names.append(f"{_EXECUTION_ID}-{step.name[:_STEP_LETTERS]}*")
    given = resolver.text(step.arguments.get(member)).text if member in step.arguments else ""
    if given:
        names += [given, f"{given}-*"]
    return names


def _configurations(step: PlacedStep, resolver: Resolver) -> list[str]:
    """Return the endpoint configurations that an Endpoint step may take: those that the pipeline makes."""
    steps = [one for one in resolver.outline.steps if one.type == "EndpointConfig"]
    return [name for one in steps for name in _names(one, resolver, "EndpointConfigName")] or ["pipelines-*"]


def _endpoints(step: PlacedStep, resolver: Resolver) -> list[str]:
    endpoint = resolver.literal(step.arguments.get("EndpointName"))
    steps = [one for one in resolver.outline.steps if one.type == "Endpoint"]
    made = [name for one in steps for name in _names(one, resolver, "EndpointName")]
    return [endpoint] if endpoint is not None else made or ["pipelines-*"]


def _registry(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what registering a model needs, or reading the baseline of the last approved one."""
    if step.type == "RegisterModel":
        group = step.arguments.get("ModelPackageGroupName")
        verbs = ["CreateModelPackage", "DescribeModelPackage"]
        verbs += ["CreateModelPackageGroup", "DescribeModelPackageGroup", "AddTags"]
        reason = "the step registers a version of a model, in a group that it makes if there is none"
    elif step.body.get("ModelPackageGroupName") is not None:
        group = step.body["ModelPackageGroupName"]
        verbs = ["ListModelPackages", "DescribeModelPackage", "DescribeModelPackageGroup"]
        reason = "the check compares with the baseline of the last approved version"
    else:
        return
    # https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
    name = resolver.literal(group) or "*"  # `*` where only a run knows
    resources = [*sagemaker("model-package-group", [name]), *sagemaker("model-package", [f"{name}/*"])]
    if group is None:  # a package without versions
        package = resolver.literal(step.arguments.get("ModelPackageName")) or "*"
        resources = list(sagemaker("model-package", [package]))
        verbs = ["CreateModelPackage", "DescribeModelPackage", "AddTags"]
    yield allow(_actions(*verbs), resources, reason, step=step.name)


def _shadow_endpoint(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    verbs = [f"{verb}Endpoint{kind}" for verb in ("Create", "Describe", "Delete") for kind in ("", "Config")]
    resources = [
        one for kind in ("endpoint", "endpoint-config") for one in sagemaker(kind, _CLARIFY_ENDPOINTS)
    ]
    reason = "the check asks the model, behind an endpoint that it makes and deletes"
    yield allow(_actions(*verbs, "InvokeEndpoint", "AddTags"), resources, reason, step=step.name)
    model = resolver.literal(step.body["ModelName"]) or "pipelines-*"
    yield allow(_actions("DescribeModel"), sagemaker("model", [model]), reason, step=step.name)


def _lineage(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what a Lineage step needs to record actions, artifacts and contexts, and what joins them."""
    every: list[str] = []
    for noun in ("Action", "Artifact", "Context"):
        entries = step.arguments.get(f"{noun}s")
        entries = [one for one in entries if isinstance(one, Mapping)] if isinstance(entries, list) else []
        # The service names an artifact by a hash.
        names = ["*"] if noun == "Artifact" else [_entity(one, noun, resolver) for one in entries]
        resources = sagemaker(noun.lower(), names)
        if entries:
            verbs = [f"{verb}{noun}" for verb in ("Create", "Describe")]
            yield allow(_actions(*verbs, "AddTags"), resources, "the step records lineage", step=step.name)
            every += resources
    if step.arguments.get("Associations") and every:
        yield allow(_actions("AddAssociation"), every, "the step joins what it records", step=step.name)


def _entity(entry: Mapping[str, Any], noun: str, resolver: Resolver) -> str:
    resolved = resolver.text(entry.get(f"{noun}Name"))
    return resolved.text if resolved.complete else f"{resolved.text}*"


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
    jobs = [step for step in resolver.outline.steps if step.type in _STOPPED]
    names = [name for step in jobs for name in _names(step, resolver, _CREATES[step.type][2])]
    components = sagemaker("experiment-trial-component", dict.fromkeys(["pipelines-*", *names]))
    reason = "each execution is recorded as a trial of the pipeline's experiment"
    for noun, resources in (
        ("Experiment", experiment),
        ("Trial", (*experiment, *trials)),
        ("TrialComponent", components),
    ):
        verbs = [f"{verb}{noun}" for verb in ("Create", "Describe")]
        verbs += ["UpdateTrialComponent"] if noun == "TrialComponent" else []
        yield allow(_actions(*verbs, "AddTags"), resources, reason)
    yield allow(_actions("AssociateTrialComponent"), (*trials, *components), reason)


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
    yield allow(_actions(f"Describe{kind}"), server, reason)


def _actions(*names: str) -> list[str]:
    return [f"sagemaker:{name}" for name in names]
