"""The properties that each type of step has, written like shapes of botocore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduled_pipeline.definition.step_types.shape_notation import Shape, structure

# What lies behind `Steps.<name>.`: the answers of the Describe calls, which the SDK's Properties read too.
PROPERTIES: Mapping[str, Sequence[str]] = {
    "Processing": ["sagemaker:DescribeProcessingJobResponse"],
    "Training": ["sagemaker:DescribeTrainingJobResponse"],
    "Tuning": [
        "sagemaker:DescribeHyperParameterTuningJobResponse",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJobResponse",
    ],
    "Transform": ["sagemaker:DescribeTransformJobResponse"],
    "AutoML": ["sagemaker:DescribeAutoMLJobResponse", "AutoMLProperties"],
    "Model": ["sagemaker:DescribeModelOutput"],
    "RegisterModel": ["sagemaker:DescribeModelPackageOutput"],
    "Condition": ["ConditionProperties"],
    "Lambda": ["OutputProperties"],
    "Callback": ["OutputProperties"],
    "QualityCheck": ["QualityCheckProperties"],
    "ClarifyCheck": ["ClarifyCheckProperties"],
    "EMR": ["emr:Step", "EmrProperties"],
    "EMRServerless": ["emr-serverless:GetJobRunResponse"],
    "EndpointConfig": ["sagemaker:DescribeEndpointConfigOutput"],
    "Endpoint": ["sagemaker:DescribeEndpointOutput"],
    "InferenceComponent": ["sagemaker:DescribeInferenceComponentOutput"],
    "Lineage": ["LineageProperties"],
    "Job": ["sagemaker:DescribeJobResponse", "JobProperties"],
    "ForEach": ["ForEachProperties"],
    "Fail": [],
    "Cleanup": [],
}

SHAPES: Mapping[str, Shape] = {
    "ConditionProperties": structure({"Outcome": "ScalarOrNothing"}),
    "OutputProperties": structure({"OutputParameters": "Outputs"}),
    "Outputs": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "ScalarOrNothing"}},
    "AutoMLProperties": structure({"BestCandidateProperties": "BestCandidateProperties"}),
    "BestCandidateProperties": structure(
        {"ModelInsightsJsonReportPath": "String", "ExplainabilityJsonReportPath": "String"}
    ),
    "ClarifyCheckProperties": structure(
        {"CalculatedBaselineConstraints": "String", "BaselineUsedForDriftCheckConstraints": "String"}
    ),
    "QualityCheckProperties": structure(
        {
            "CalculatedBaselineConstraints": "String",
            "CalculatedBaselineStatistics": "String",
            "BaselineUsedForDriftCheckStatistics": "String",
            "BaselineUsedForDriftCheckConstraints": "String",
        }
    ),
    "EmrProperties": structure(
        {"ClusterId": "String", "ExecutionRoleArn": "String", "ClusterConfig": "Anything"}
    ),
    "LineageProperties": structure(
        {"ActionArns": "Arns", "ArtifactArns": "Arns", "ContextArns": "Arns", "Associations": "Anything"}
    ),
    "Arns": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
    # A string that holds JSON; a reference may descend into it (JobStep of the SDK).
    "JobProperties": structure({"JobConfigDocument": "Anything"}),
    "ForEachProperties": structure(
        {
            "Status": "String",
            "InputItemCount": "Integer",
            "TotalStepCount": "Integer",
            "SucceededStepCount": "Integer",
            "FailedStepCount": "Integer",
            "StoppedStepCount": "Integer",
            "IterationOutputs": "Anything",
            "Selected": "Anything",
        }
    ),
}
