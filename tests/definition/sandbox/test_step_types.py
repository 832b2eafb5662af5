"""Every step type of the SageMaker SDK compiles without AWS, and what comes out is valid."""

from __future__ import annotations

from typing import Any

import pytest
from compiling import CompileFunction

from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.validation.validate import validate

TYPES = {
    "processing": ["Processing"],
    "training": ["Training"],
    "tuning": ["Tuning", "Callback"],
    "transform": ["Model", "Transform"],
    "model_create": ["Training", "Model"],
    "model_register": ["RegisterModel"],
    "condition": ["Processing", "Condition"],
    "fail": ["Condition", "Fail"],
    "callback": ["Callback", "Fail"],
    "lambda_with_a_function": ["Lambda", "Training"],
    "clarify_check": ["ClarifyCheck"],
    "clarify_check_of_a_model": ["ClarifyCheck"],
    "quality_check": ["QualityCheck", "Fail"],
    "quality_check_of_a_model": ["QualityCheck"],
    "emr": ["EMR", "Fail"],
    "emr_with_a_cluster": ["EMR"],
    "emr_serverless": ["EMRServerless"],
    "emr_serverless_with_an_application": ["EMRServerless"],
    "automl_by_hand": ["AutoML", "Model"],
    "notebook_job": ["Training"],
    "monitor_batch_transform": ["Transform", "QualityCheck"],
    "monitor_batch_transform_step_by_step": ["Transform", "QualityCheck"],
    "for_each": ["ForEach", "Fail"],
    "endpoint": ["EndpointConfig", "Endpoint"],
    "inference_component": ["EndpointConfig", "Endpoint", "InferenceComponent"],
    "lineage": ["Lineage", "Fail"],
    "cleanup": ["Processing", "Training", "Cleanup"],
    "function_step": ["Training", "Condition", "Training"],
}

BROKEN = {
    # sagemaker.mlops.workflow.automl_step names Session.auto_ml, and runnable_by_pipeline has AutoML
    # commented out: version 3.27, the newest, has the step without the class that makes its request. A step
    # with a request written by hand does compile: "automl_by_hand" above.
    "automl": (["AutoML"], r"AttributeError: type object 'Session' has no attribute 'auto_ml'"),
}

# LambdaStep makes the function while it compiles, or changes one that is there. A synth makes nothing.
REFUSED = {
    "lambda_with_code": "CreateFunction",
    "lambda_with_new_code": "UpdateFunctionCode",
}


@pytest.fixture(scope="module")
def compile_type(compiled: CompileFunction) -> CompileFunction:
    return lambda function: compiled(f"step_types:{function}")


def _types(compiled: CompiledPipeline) -> list[str]:
    return [step["Type"] for step in compiled.document["Steps"]]


@pytest.mark.parametrize("function", TYPES)
def test_compiles_without_aws(compile_type: CompileFunction, function: str) -> None:
    assert _types(compile_type(function)) == TYPES[function]


@pytest.mark.parametrize("function", TYPES)
def test_is_valid(compile_type: CompileFunction, function: str) -> None:
    assert validate(compile_type(function).document) == ()


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(name, marks=pytest.mark.xfail(raises=DefinitionError, reason=message))
        for name, (_, message) in BROKEN.items()
    ],
)
def test_a_type_that_the_sdk_cannot_compile_by_itself_compiles(
    compile_type: CompileFunction, function: str
) -> None:
    assert _types(compile_type(function)) == BROKEN[function][0]


@pytest.mark.parametrize("function", BROKEN)
def test_says_why_a_type_does_not_compile(compile_type: CompileFunction, function: str) -> None:
    with pytest.raises(DefinitionError, match=BROKEN[function][1]):
        compile_type(function)


@pytest.mark.parametrize("function", REFUSED)
def test_a_function_that_the_sdk_would_make_is_to_be_made_in_the_stack(
    compile_type: CompileFunction, function: str
) -> None:
    call = rf"refused the AWS call lambda:{REFUSED[function]}, made "
    with pytest.raises(DefinitionError, match=call + r".*; make the function in the stack, and pass its ARN"):
        compile_type(function)


@pytest.mark.parametrize(
    ("function", "place", "expression"),
    [
        ("tuning", ("Arguments", "best"), {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"}),
        ("callback", ("Arguments", "ErrorMessage"), {"Get": "Steps.Ask.OutputParameters['answer']"}),
        ("lineage", ("Arguments", "ErrorMessage"), {"Get": "Steps.Record.ActionArns['run']"}),
        ("cleanup", ("DependsOn",), [{"Step": "Train", "Trigger": "Any"}, "Process"]),
    ],
)
def test_the_last_step_refers_to_the_first(
    compile_type: CompileFunction, function: str, place: tuple[str, ...], expression: Any
) -> None:
    value: Any = compile_type(function).document["Steps"][-1]
    for name in place:
        value = value[name]
    assert value == expression


# AutoML and Job steps, which the SDK does not make without AWS; the Job is one of its own templates'.
BY_HAND: dict[str, dict[str, Any]] = {
    "AutoML": {
        "AutoMLJobConfig": {"Mode": "ENSEMBLING", "CompletionCriteria": {"MaxCandidates": 2}},
        "InputDataConfig": [
            {
                "TargetAttributeName": "label",
                "ChannelType": "training",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/automl"},
        "RoleArn": "arn:aws:iam::111122223333:role/pipeline",
    },
    "Job": {
        "JobCategory": "AgentRFTEvaluation",
        "JobConfigSchemaVersion": "1.0.0",
        "JobConfigDocument": {
            "Std:Join": {"On": "", "Values": ["{", {"Get": "Execution.PipelineName"}, "}"]}
        },
        "RoleArn": "arn:aws:iam::111122223333:role/pipeline",
    },
}


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("AutoML", "BestCandidate.InferenceContainers[0].ModelDataUrl"),
        ("AutoML", "BestCandidateProperties.ModelInsightsJsonReportPath"),
        ("Job", "JobConfigDocument.OutputModelPackageArn"),
        ("Job", "JobArn"),
    ],
)
def test_a_step_written_by_hand_is_valid(kind: str, reference: str) -> None:
    stop = {"ErrorMessage": {"Get": f"Steps.Run.{reference}"}}
    steps = [
        {"Name": "Run", "Type": kind, "Arguments": BY_HAND[kind]},
        {"Name": "Stop", "Type": "Fail", "Arguments": stop},
    ]
    assert validate({"Version": "2020-12-01", "Steps": steps}) == ()


@pytest.mark.parametrize(
    ("member", "value", "finding"),
    [
        ("AutoMLJobConfig", {"Mode": "AUTO"}, ("unknown-value", "AutoMLJobConfig.Mode")),
        ("AutoMLJobConfig", {}, ("missing-member", "AutoMLJobConfig.Mode")),
        ("AutoMLJobConfig", None, ("missing-member", "AutoMLJobConfig")),
        ("GenerateCandidateDefinitionsOnly", True, ("unknown-member", "GenerateCandidateDefinitionsOnly")),
        ("ProblemType", "Regresion", ("unknown-value", "ProblemType")),
    ],
)
def test_an_automl_step_that_pipelines_do_not_take_is_refused(
    member: str, value: Any, finding: tuple[str, str]
) -> None:
    step = {"Name": "Run", "Type": "AutoML", "Arguments": {**BY_HAND["AutoML"], member: value}}
    (found,) = validate({"Version": "2020-12-01", "Steps": [step]})
    assert (found.id, found.path) == (finding[0], f"Steps[0].Arguments.{finding[1]}")
