"""The arguments that each type of step takes, written like shapes of botocore.

The arguments of a step are the request of its API, less what the service gives itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from scheduled_pipeline.definition.step_types.shape_notation import Shape, enum, like, list_of, structure

# ForEachStep of the SDK: MAX_CONCURRENCY_MAX, MAX_LITERAL_ITERABLE_ITEMS.
_MAX_CONCURRENCY, _MAX_ITEMS = 50, 100
# ConditionTypeEnum of the SDK, and two more that only the JSON schema has.
_COMPARISON = ("Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")

SHAPES: Mapping[str, Shape] = {
    "ProcessingArguments": like("sagemaker:CreateProcessingJobRequest", filled_in=["ProcessingJobName"]),
    "TrainingArguments": like("sagemaker:CreateTrainingJobRequest", filled_in=["TrainingJobName"]),
    "TransformArguments": like("sagemaker:CreateTransformJobRequest", filled_in=["TransformJobName"]),
    "TuningArguments": like(
        "sagemaker:CreateHyperParameterTuningJobRequest", filled_in=["HyperParameterTuningJobName"]
    ),
    # AutoMLStep.arguments of the SDK: these two "cannot be included", and the one mode is ENSEMBLING.
    "AutoMLArguments": like(
        "sagemaker:CreateAutoMLJobRequest",
        filled_in=["AutoMLJobName"],
        without=["ModelDeployConfig", "GenerateCandidateDefinitionsOnly"],
        members={"AutoMLJobConfig": "pipeline:AutoMLJobConfig"},
        needed=["AutoMLJobConfig"],
    ),
    "AutoMLJobConfig": like(
        "sagemaker:AutoMLJobConfig", members={"Mode": "pipeline:AutoMLMode"}, needed=["Mode"]
    ),
    "AutoMLMode": enum("ENSEMBLING"),
    "ModelArguments": like("sagemaker:CreateModelInput", filled_in=["ModelName"]),
    # ModelStep.arguments of the SDK: "not available in the workflow service and will cause rejection".
    "RegisterModelArguments": like("sagemaker:CreateModelPackageInput", without=["CertifyForMarketplace"]),
    "EndpointConfigArguments": like("sagemaker:CreateEndpointConfigInput", filled_in=["EndpointConfigName"]),
    "EndpointArguments": like("sagemaker:CreateEndpointInput", filled_in=["EndpointName"]),
    "InferenceComponentArguments": like(
        "sagemaker:CreateInferenceComponentInput", filled_in=["InferenceComponentName"]
    ),
    "JobArguments": like("sagemaker:CreateJobRequest", filled_in=["JobName"]),
    "ConditionArguments": structure(
        {"Conditions": "Conditions", "IfSteps": "BranchSteps", "ElseSteps": "BranchSteps"}, ["Conditions"]
    ),
    "Conditions": list_of("Condition"),
    "Condition": {
        "type": "tagged",
        "tag": "Type",
        "shapes": {
            **dict.fromkeys(_COMPARISON, "Comparison"),
            "In": "Membership",
            "NotIn": "Membership",
            "Not": "Negation",
            "Or": "Alternatives",
        },
    },
    "Comparison": structure(
        {"Type": "String", "LeftValue": "ScalarOrNothing", "RightValue": "ScalarOrNothing"},
        ["LeftValue", "RightValue"],
    ),
    "Membership": structure(
        {"Type": "String", "QueryValue": "ScalarOrNothing", "Values": "Scalars"}, ["QueryValue", "Values"]
    ),
    "Negation": structure({"Type": "String", "Condition": "Condition"}, ["Condition"]),
    "Alternatives": structure({"Type": "String", "Conditions": "Conditions"}, ["Conditions"]),
    "FailArguments": structure({"ErrorMessage": "String"}),
    "ForEachArguments": structure(
        {
            "IterableItems": "IterableItems",
            "MaxConcurrency": "MaxConcurrency",
            "Selector": "Selector",
            "ForEachBody": "Steps",
        },
        ["IterableItems", "MaxConcurrency", "ForEachBody"],
    ),
    "IterableItems": {"type": "either", "expression": "String", "list": "Items"},
    "Items": list_of("ScalarOrNothing", min=1, max=_MAX_ITEMS),
    "MaxConcurrency": {"type": "integer", "min": 1, "max": _MAX_CONCURRENCY},
    "Selector": structure({"Pick": "Pick", "Field": "ScalarOrNothing"}, ["Pick", "Field"]),
    "Pick": enum("MaxBy", "MinBy"),
    "CleanupArguments": structure({"Resources": "CleanupResources"}, ["Resources"]),
    "CleanupResources": structure({"S3": "CleanupSources"}, ["S3"]),
    "CleanupSources": list_of("CleanupSource", min=1),
    "CleanupSource": structure({"StepName": "StepName", "S3Uris": "CleanupUris"}, ["StepName"]),
    "CleanupUris": list_of("String", min=1),
    "LineageArguments": structure(
        {
            "Actions": "LineageActions",
            "Artifacts": "LineageArtifacts",
            "Contexts": "LineageContexts",
            "Associations": "LineageAssociations",
        }
    ),
    "LineageActions": list_of("sagemaker:CreateActionRequest"),
    "LineageArtifacts": list_of("sagemaker:CreateArtifactRequest"),
    "LineageContexts": list_of("sagemaker:CreateContextRequest"),
    "LineageAssociations": list_of("LineageAssociation"),
    "LineageAssociation": structure(
        {
            "Source": "LineageEntity",
            "Destination": "LineageEntity",
            "AssociationType": "sagemaker:AssociationEdgeType",
        },
        ["Source", "Destination"],
    ),
    "LineageEntity": structure(
        {"Arn": "String", "Name": "String", "Type": "LineageType"}, one_of=[["Arn", "Name"]]
    ),
    "LineageType": enum("Action", "Artifact", "Context"),
    "EmrArguments": structure(
        {
            "StepConfig": "EmrStepConfig",
            "ClusterId": "String",
            "ClusterConfig": "EmrClusterConfig",
            "ExecutionRoleArn": "String",
        },
        ["StepConfig"],
        one_of=[["ClusterId", "ClusterConfig"]],
    ),
    "EmrStepConfig": like("emr:StepConfig", filled_in=["Name"]),
    # EMRStep._validate_cluster_config of the SDK.
    "EmrClusterConfig": like(
        "emr:RunJobFlowInput",
        without=["Name", "Steps", "AutoTerminationPolicy"],
        members={"Instances": "pipeline:EmrInstances"},
    ),
    "EmrInstances": like(
        "emr:JobFlowInstancesConfig",
        without=["KeepJobFlowAliveWhenNoSteps", "TerminationProtected"],
        one_of=[["InstanceGroups", "InstanceFleets"]],
    ),
    "EmrServerlessArguments": structure(
        {
            "ExecutionRoleArn": "String",
            "JobConfig": "EmrServerlessJob",
            "ApplicationId": "String",
            "ApplicationConfig": "EmrServerlessApplication",
        },
        ["ExecutionRoleArn", "JobConfig"],
        one_of=[["ApplicationId", "ApplicationConfig"]],
    ),
    "EmrServerlessJob": like("emr-serverless:StartJobRunRequest", filled_in=["applicationId", "clientToken"]),
    "EmrServerlessApplication": like("emr-serverless:CreateApplicationRequest", filled_in=["clientToken"]),
}
