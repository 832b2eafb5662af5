"""Each small change to a good definition is found, at its place and under its id."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import pytest
from changes import ABSENT, changed
from compiling import CompileFunction

from scheduled_pipeline.definition.validation.validate import validate

Good = Callable[[str], dict[str, Any]]


class Case(NamedTuple):
    """A change to a good definition, and the one finding that it makes; at the changed place unless told."""

    base: str
    path: str
    value: Any
    finding: str
    at: str | None = None


TRAIN = "Steps[1].Arguments"
BRANCH = "Steps[3].Arguments"
CLUSTER = "ProcessingResources.ClusterConfig"
CHOOSE = {"Name": "Other", "Type": "Condition", "Arguments": {"Conditions": []}}
STOP = {"Name": "Other", "Type": "Fail", "Arguments": {"ErrorMessage": ""}}
NEVER = {"Get": "Steps.AbaloneCreateModel.ModelName"}

STRUCTURE = [
    Case("abalone", "Version", "2020-12-02", "unknown-value"),
    Case("abalone", "Version", ABSENT, "missing-member"),
    Case("abalone", "Steps", [], "bad-length"),
    Case("abalone", "Step", [], "unknown-member"),
    Case("processing", "Steps[0].Name", ABSENT, "missing-member"),
    Case("processing", "Steps[0].Name", "a name", "bad-pattern"),
    Case("processing", "Steps[0].Name", "a" * 65, "bad-length"),
    Case("processing", "Steps[0].Name", "", "bad-length"),
    Case("processing", "Steps[0].DisplayName", "a" * 257, "bad-length"),
    Case("processing", "Steps[0].Description", "a" * 3073, "bad-length"),
    Case("processing", "Steps[0].Type", "Procesing", "unknown-step-type"),
    Case("processing", "Steps[0].Type", ABSENT, "missing-member"),
    Case("processing", "Steps[0].Arguments", ABSENT, "missing-member"),
    Case("processing", "Steps[0].Arguments", [], "wrong-type"),
    Case("processing", "Steps[0].Argumnets", {}, "unknown-member"),
    Case("processing", "Steps[0].CheckType", "DATA_BIAS", "unknown-member"),
    Case("processing", "Steps[1]", "a step", "wrong-type"),
    Case(
        "processing", "Steps[0].CacheConfig", {"Enabled": "yes"}, "wrong-type", "Steps[0].CacheConfig.Enabled"
    ),
    Case(
        "processing",
        "Steps[0].CacheConfig",
        {"Enabled": True, "ExpireAfter": "12 hours"},
        "bad-pattern",
        "Steps[0].CacheConfig.ExpireAfter",
    ),
    Case(
        "processing",
        "Steps[0].CacheConfig",
        {"Enabled": True, "ExpireAfter": "P"},
        "bad-pattern",
        "Steps[0].CacheConfig.ExpireAfter",
    ),
    Case("abalone", "Steps[0].RetryPolicies[0].MaxAttempts", 21, "out-of-range"),
    Case("abalone", "Steps[0].RetryPolicies[0].IntervalSeconds", 43_201, "out-of-range"),
    Case("abalone", "Steps[0].RetryPolicies[0].BackoffRate", -1.5, "out-of-range"),
    Case("abalone", "Steps[0].RetryPolicies[0].ExceptionType", ABSENT, "missing-member"),
    Case("abalone", "Steps[0].RetryPolicies[0].ExceptionType[0]", "Step.SERVICE_FAILT", "unknown-value"),
    Case("condition", "Steps[1].RetryPolicies", [], "unknown-member"),
    Case("condition", "Steps[1].CacheConfig", {}, "unknown-member"),
    Case("condition", "Steps[1].Arguments.Conditions[0].Type", "BiggerThan", "unknown-value"),
    Case("condition", "Steps[1].Arguments.Conditions[0].RightValue", ABSENT, "missing-member"),
    Case("condition", "Steps[1].Arguments.Conditions[0].RightValue", {"a": 1}, "wrong-type"),
    Case("condition", "Steps[1].Arguments.Conditions[2].Expression", {}, "unknown-member"),
    Case("condition", "Steps[1].Arguments.Conditions[1].Conditions[1].Values", "a", "wrong-type"),
    Case("condition", "Steps[1].Arguments.IfSteps", {"Get": "Parameters.Word"}, "wrong-type"),
    Case("abalone", f"{BRANCH}.ElseSteps[1]", CHOOSE, "nested-step"),
    Case("for_each", "Steps[0].Arguments.ForEachBody[1]", STOP, "nested-step"),
    Case("for_each", "Steps[0].Arguments.MaxConcurrency", 51, "out-of-range"),
    Case("for_each", "Steps[0].Arguments.IterableItems", '["a"]', "wrong-type"),
    Case("for_each", "Steps[0].Arguments.IterableItems", ["a"] * 101, "bad-length"),
    Case("for_each", "Steps[0].Arguments.Selector.Pick", "MedianBy", "unknown-value"),
    Case("lambda_with_a_function", "Steps[0].FunctionArn", ABSENT, "missing-member"),
    Case("lambda_with_a_function", "Steps[0].OutputParameters[0].OutputType", "Text", "unknown-value"),
    Case("lambda_with_a_function", "Steps[0].FunctionArn", "my-function", "bad-pattern"),
    Case("callback", "Steps[0].SqsQueueUrl", "arn:aws:sqs:eu-west-1:111122223333:a", "bad-pattern"),
    Case("callback", "Steps[0].SqsQueueUrl", None, "missing-member"),
    Case("quality_check", "Steps[0].CheckType", "DATA_BIAS", "unknown-value"),
    Case("cleanup", "Steps[2].DependsOn[0].Trigger", "Succeeded", "unknown-value"),
    Case("cleanup", "Steps[2].DependsOn[0]", 1, "wrong-type"),
]

PARAMETERS = [
    Case("abalone", "Parameters[0].Type", "Int", "unknown-value"),
    Case(
        "processing", "Parameters", [{"Name": "A B", "Type": "String"}], "bad-pattern", "Parameters[0].Name"
    ),
    Case("processing", "Parameters", [{"Name": "", "Type": "String"}], "bad-length", "Parameters[0].Name"),
    Case("abalone", "Parameters[0].Default", 1, "unknown-member"),
    Case("abalone", "Parameters[0].DefaultValue", "1", "bad-default"),
    Case("abalone", "Parameters[0].DefaultValue", True, "bad-default"),
    Case("abalone", "Parameters[5].DefaultValue", "6.0", "bad-default"),
    Case("abalone", "Parameters[3].DefaultValue", 1, "bad-default"),
    Case("abalone", "Parameters[2].EnumValues[1]", 1, "bad-default"),
    Case("condition", "Parameters[1].DefaultValue", "c", "bad-default"),
    Case("for_each", "Parameters[0].DefaultValue", "c" * 4097, "bad-length"),
    Case("condition", "Parameters[1].EnumValues", [*"abcdefghijklmnopq"], "bad-length"),
    Case("processing", "Parameters", [{"Name": f"A{n}", "Type": "String"} for n in range(201)], "bad-length"),
    Case(
        "condition",
        "Parameters[2]",
        {"Name": "Word", "Type": "Float"},
        "duplicate-parameter",
        "Parameters[2].Name",
    ),
    # The default of a parameter is checked as what it is used for.
    Case("abalone", "Parameters[0].DefaultValue", 0, "out-of-range"),
    Case("abalone", "Parameters[1].DefaultValue", "ml.m5.xlargee", "unknown-value"),
    Case("abalone", "Parameters[3].DefaultValue", "bucket/abalone.csv", "bad-pattern"),
]

REFERENCES = [
    Case(
        "abalone",
        f"{TRAIN}.ResourceConfig.InstanceType",
        {"Get": "Parameters.TrainInstance"},
        "unknown-parameter",
    ),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Execution.RoleArn"}, "unknown-reference"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Parameter.Role"}, "unknown-reference"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps."}, "unknown-reference"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps.AbaloneProcess"}, "unknown-reference"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps.AbaloneProcess.Tags[a]"}, "unknown-reference"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps.AbaloneProces.RoleArn"}, "unknown-step"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps.AbaloneProcess.Role"}, "unknown-property"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps.AbaloneProcess.RoleArn.Name"}, "unknown-property"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "Steps.AbaloneProcess.Environment.ROLE"}, "unknown-property"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "PipelineExperimentConfig.Name"}, "unknown-reference"),
    Case("abalone", "PipelineExperimentConfig.TrialName", {"Get": "Execution.Id"}, "unknown-reference"),
    Case(
        "abalone",
        f"{TRAIN}.InputDataConfig[0].DataSource.S3DataSource.S3Uri",
        {"Get": "Steps.AbaloneProcess.ProcessingOutputConfig.Outputs['training'].S3Output.S3Uri"},
        "unknown-output",
    ),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": 5}, "bad-expression"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Std:Concat": ["a"]}, "bad-expression"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Std:Join": {"On": "", "Values": [["a"]]}}, "bad-expression"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Std:Join": {"On": "", "Value": []}}, "bad-expression"),
    Case(
        "abalone",
        f"{BRANCH}.ElseSteps[0].Arguments.ErrorMessage.Std:Join.Values[1]",
        {"Get": "Parameters.Mse"},
        "unknown-parameter",
    ),
    Case(
        "abalone",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.Path",
        5,
        "bad-expression",
        f"{BRANCH}.Conditions[0].LeftValue",
    ),
    Case(
        "abalone",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.PropertyFile.Get",
        "Steps.AbaloneEval.PropertyFiles.Evaluation",
        "unknown-property-file",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.PropertyFile",
    ),
    Case(
        "abalone",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.PropertyFile.Get",
        "Steps.AbaloneEvaluate.PropertyFiles.EvaluationReport",
        "unknown-step",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.PropertyFile",
    ),
    Case(
        "abalone",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.PropertyFile.Get",
        "Steps.AbaloneEval.ProcessingJobName",
        "unknown-reference",
        f"{BRANCH}.Conditions[0].LeftValue.Std:JsonGet.PropertyFile",
    ),
    Case("condition", "Steps[0].PropertyFiles[0].OutputName", "reports", "unknown-output"),
    Case("fail", "Steps[1].Arguments.ErrorMessage", {"Get": "Steps.Choose.Result"}, "unknown-property"),
    Case(
        "callback",
        "Steps[1].Arguments.ErrorMessage",
        {"Get": "Steps.Ask.OutputParameters['nope']"},
        "unknown-output",
    ),
    Case(
        "quality_check",
        "Steps[1].Arguments.ErrorMessage",
        {"Get": "Steps.Check.ProcessingJobName"},
        "unknown-property",
    ),
    Case(
        "lineage",
        "Steps[1].Arguments.ErrorMessage",
        {"Get": "Steps.Record.ActionArns['runs']"},
        "unknown-output",
    ),
    Case("emr", "Steps[1].Arguments.ErrorMessage", {"Get": "Steps.Run.Config.Main"}, "unknown-property"),
    Case("abalone", f"{TRAIN}.RoleArn", {"Get": "ForEach.CurrentItem"}, "foreach-reference"),
    Case(
        "for_each",
        "Steps[0].Arguments.ForEachBody[0].Arguments.item",
        {"Get": "ForEach.Index"},
        "unknown-reference",
    ),
    Case(
        "for_each",
        "Steps[1].Arguments.ErrorMessage",
        {"Get": "Steps.Call.OutputParameters['score']"},
        "foreach-reference",
    ),
    Case(
        "for_each",
        "Steps[1].Arguments.ErrorMessage",
        {"Get": "Steps.Loop.IterationOutputs[0].Cal.X"},
        "unknown-property",
    ),
    Case("for_each", "Steps[1].DependsOn", ["Call"], "foreach-reference", "Steps[1].DependsOn[0]"),
    Case("for_each", "Steps[0].Arguments.Selector.Field", {"Get": "IterationOutput.Cal.A"}, "unknown-step"),
    Case(
        "for_each", "Steps[1].Arguments.ErrorMessage", {"Get": "IterationOutput.Call.A"}, "foreach-reference"
    ),
]

DEPENDENCIES = [
    Case("abalone", "Steps[2].DependsOn", ["AbaloneTrian"], "unknown-step", "Steps[2].DependsOn[0]"),
    Case("abalone", "Steps[2].DependsOn", ["AbaloneMSEFail"], "fail-dependency", "Steps[2].DependsOn[0]"),
    Case("abalone", "Steps[0].DependsOn", ["AbaloneProcess"], "cycle", "Steps[0]"),
    Case("abalone", "Steps[0].DependsOn", ["AbaloneEval"], "cycle", "Steps[0]"),
    Case("abalone", "Steps[0].DependsOn", [{"Step": "AbaloneEval", "Trigger": "Any"}], "cycle", "Steps[0]"),
    # A step in a branch waits for its condition.
    Case("abalone", "Steps[2].DependsOn", ["AbaloneTransform"], "cycle", "Steps[2]"),
    Case(
        "abalone",
        f"{BRANCH}.ElseSteps[0].Arguments.ErrorMessage",
        NEVER,
        "never-runs",
        f"{BRANCH}.ElseSteps[0]",
    ),
    Case("quality_check", "Steps[1].Name", "Check", "duplicate-step-name"),
    Case("abalone", f"{BRANCH}.ElseSteps[0].Name", "AbaloneTransform", "duplicate-step-name"),
    Case("for_each", "Steps[1].Name", "Call-0", "duplicate-step-name"),
    Case("cleanup", "Steps[2].Arguments.Resources.S3[1].StepName", "Training", "unknown-step"),
]

ARGUMENTS = [
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.InstanceType", "ml.m5.xlargee", "unknown-value"),
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.InstanceCount", 0, "out-of-range"),
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.InstanceCount", "1", "wrong-type"),
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.InstanceCount", True, "wrong-type"),
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.InstanceCount", 1.5, "wrong-type"),
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.VolumeSize", 30, "unknown-member"),
    Case("abalone", f"Steps[0].Arguments.{CLUSTER}.VolumeSizeInGB", ABSENT, "missing-member"),
    Case(
        "abalone",
        f"Steps[0].Arguments.{CLUSTER}.VolumeSizeInGB",
        {"Get": "Parameters.MseThreshold"},
        "wrong-type",
    ),
    Case(
        "abalone",
        "Steps[0].Arguments.Environment",
        {"A": 1},
        "wrong-type",
        "Steps[0].Arguments.Environment.A",
    ),
    Case(
        "abalone",
        "Steps[0].Arguments.Environment",
        {"A-B": "1"},
        "bad-pattern",
        "Steps[0].Arguments.Environment.A-B",
    ),
    Case("abalone", "Steps[0].Arguments.Environment", {f"A{n}": "" for n in range(101)}, "bad-length"),
    Case(
        "abalone", "Steps[0].Arguments.ProcessingInputs[0].S3Input.S3InputMode", "FastFile", "unknown-value"
    ),
    Case("abalone", "Steps[0].Arguments.ProcessingInputs", [{"InputName": "a"}] * 11, "bad-length"),
    Case("abalone", "Steps[0].Arguments.RoleArn", "role", "bad-length"),
    Case("abalone", "Steps[0].Arguments.RoleArn", "arn:aws:iam::1:role/a-name", "bad-pattern"),
    Case("abalone", "Steps[0].Arguments.RoleArn", f"arn:aws:iam::{'१' * 12}:role/a", "bad-pattern"),
    Case("abalone", "Steps[0].Arguments.AppSpecification.ImageUri", ABSENT, "missing-member"),
    Case("abalone", f"{TRAIN}.HyperParameters.num_round", 50, "wrong-type"),
    Case(
        "abalone",
        f"{TRAIN}.HyperParameters.num_round",
        {"Get": "Parameters.ProcessingInstanceCount"},
        "wrong-type",
    ),
    Case(
        "abalone",
        f"{TRAIN}.HyperParameters.num_round",
        {"Get": "Steps.AbaloneProcess.AppSpecification"},
        "wrong-type",
    ),
    Case(
        "abalone",
        f"{TRAIN}.VpcConfig",
        {"Subnets": {"Get": "Parameters.InputDataUrl"}, "SecurityGroupIds": ["sg-1"]},
        "wrong-type",
        f"{TRAIN}.VpcConfig.Subnets",
    ),
    Case("abalone", f"{TRAIN}.OutputDataConfig", ABSENT, "missing-member"),
    Case("abalone", f"{TRAIN}.StoppingCondition.MaxRuntimeInSeconds", 0, "out-of-range"),
    Case("abalone", f"{TRAIN}.OutputDataConfig.CompressionType", "ZIP", "unknown-value"),
    Case(
        "abalone",
        f"{BRANCH}.IfSteps[1].Arguments.TransformResources.InstanceType",
        "m5.xlarge",
        "unknown-value",
    ),
    Case("abalone", f"{BRANCH}.IfSteps[1].Arguments.ModelName", ABSENT, "missing-member"),
    Case("abalone", f"{BRANCH}.IfSteps[0].Arguments.PrimaryContainer.ModelData", "s3://a", "unknown-member"),
    Case("abalone", f"{BRANCH}.IfSteps[2].Arguments.CertifyForMarketplace", True, "unknown-member"),
    Case("tuning", "Steps[0].Arguments.HyperParameterTuningJobConfig.Strategy", "Bayes", "unknown-value"),
    Case("endpoint", "Steps[0].Arguments.ProductionVariants", [], "bad-length"),
    Case("inference_component", "Steps[2].Arguments.RuntimeConfig.CopyCount", -1, "out-of-range"),
    Case("lineage", "Steps[0].Arguments.Associations[0].AssociationType", "Made", "unknown-value"),
    Case(
        "lineage",
        "Steps[0].Arguments.Associations[0].Source.Arn",
        "arn:a",
        "not-one-member",
        "Steps[0].Arguments.Associations[0].Source",
    ),
    Case("emr", "Steps[0].Arguments.StepConfig.HadoopJarStep.Jar", ABSENT, "missing-member"),
    Case("emr", "Steps[0].Arguments.ClusterId", ABSENT, "not-one-member", "Steps[0].Arguments"),
    Case("emr_with_a_cluster", "Steps[0].Arguments.ClusterConfig.Name", "a", "unknown-member"),
    Case(
        "emr_with_a_cluster",
        "Steps[0].Arguments.ClusterConfig.Instances.TerminationProtected",
        True,
        "unknown-member",
    ),
    Case(
        "emr_serverless",
        "Steps[0].Arguments.JobConfig.jobDriver.hive",
        {"query": "a"},
        "not-one-member",
        "Steps[0].Arguments.JobConfig.jobDriver",
    ),
    Case(
        "training",
        "Steps[0].Arguments.OutputDataConfig.S3OutputPath",
        "s3://scheduled-pipeline-asset-bucket-placeholder/a",
        "writes-to-assets",
    ),
]


@pytest.fixture(scope="module")
def good(compiled: CompileFunction) -> Good:
    @cache
    def good(base: str) -> dict[str, Any]:
        function = "pipeline_defs.abalone.pipeline:build" if base == "abalone" else f"step_types:{base}"
        return compiled(function).document

    return good


def _name(case: Case) -> str:
    return f"{case.base}-{case.path}-{case.finding}"


@pytest.mark.parametrize("case", [*STRUCTURE, *PARAMETERS, *REFERENCES, *DEPENDENCIES, *ARGUMENTS], ids=_name)
def test_a_small_change_makes_one_finding_at_its_place(good: Good, case: Case) -> None:
    findings = validate(changed(good(case.base), case.path, case.value))
    assert [(finding.id, finding.path) for finding in findings] == [(case.finding, case.at or case.path)]
