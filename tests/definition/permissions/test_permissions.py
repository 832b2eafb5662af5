"""What each type of step needs of the execution role, and that it gets no more."""

from __future__ import annotations

from typing import Any

import pytest
from permission_parts import SAGEMAKER, a_step, document, get, granted, join, reading, the

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.permission import EVERYTHING, EXECUTION_ROLE
from scheduled_pipeline.definition.permissions.derive import derive, unknown_resources

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/image:1"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
EXPERIMENT = {
    "ExperimentName": get("Execution.PipelineName"),
    "TrialName": get("Execution.PipelineExecutionId"),
}


class TestJobs:
    @pytest.mark.parametrize(
        ("kind", "noun", "resource"),
        [
            ("Processing", "ProcessingJob", "processing-job"),
            ("QualityCheck", "ProcessingJob", "processing-job"),
            ("ClarifyCheck", "ProcessingJob", "processing-job"),
            ("Training", "TrainingJob", "training-job"),
            ("Transform", "TransformJob", "transform-job"),
        ],
    )
    def test_are_created_described_stopped_and_tagged_under_the_names_of_pipelines(
        self, kind: str, noun: str, resource: str
    ) -> None:
        permission = the(document(a_step(kind)), f"sagemaker:Create{noun}")
        assert permission.actions == (
            f"sagemaker:Create{noun}",
            f"sagemaker:Describe{noun}",
            f"sagemaker:Stop{noun}",
            "sagemaker:AddTags",
        )
        assert permission.resources == (f"{SAGEMAKER}{resource}/pipelines-*",)
        assert permission.steps == ("Step",)

    def test_of_two_steps_are_one_permission_that_names_both(self) -> None:
        permission = the(
            document(a_step("Training", name="A"), a_step("Training", name="B")),
            "sagemaker:CreateTrainingJob",
        )
        assert permission.steps == ("A", "B")

    def test_inside_a_condition_and_a_loop_are_found(self) -> None:
        choose = a_step("Condition", {"IfSteps": [a_step("Training", name="A")], "ElseSteps": []}, "Choose")
        loop = a_step("ForEach", {"ForEachBody": [a_step("Transform", name="B")]}, "Loop")
        assert the(document(choose), "sagemaker:CreateTrainingJob").steps == ("A",)
        assert the(document(loop), "sagemaker:CreateTransformJob").steps == ("B",)

    def test_with_a_name_of_their_own_have_it_too(self) -> None:
        named = a_step("Training", {"TrainingJobName": "Notebook"})
        assert granted(document(named), "sagemaker:CreateTrainingJob") == [
            f"{SAGEMAKER}training-job/{name}"
            for name in ("pipelines-*", "notebook", "Notebook", "notebook-*", "Notebook-*")
        ]

    @pytest.mark.parametrize(
        ("kind", "action", "resource"),
        [
            ("Tuning", "sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job"),
            ("AutoML", "sagemaker:CreateAutoMLJob", "automl-job"),
        ],
    )
    def test_whose_names_are_short_begin_with_the_execution_and_the_step(
        self, kind: str, action: str, resource: str
    ) -> None:
        assert granted(document(a_step(kind, name="FindTheBest")), action) == [
            f"{SAGEMAKER}{resource}/pipelines-*",
            f"{SAGEMAKER}{resource}/????????????-findthe*",
            f"{SAGEMAKER}{resource}/????????????-FindThe*",
        ]

    def test_of_a_tuning_are_listed(self) -> None:
        assert granted(document(a_step("Tuning")), "sagemaker:ListTrainingJobsForHyperParameterTuningJob")
        assert not granted(document(a_step("Tuning")), "sagemaker:CreateTrainingJob")

    @pytest.mark.parametrize("kind", ["Condition", "Fail", "Callback", "Lambda", "ForEach", "Cleanup"])
    def test_are_not_run_by_a_step_of_another_type(self, kind: str) -> None:
        actions = {action for one in derive(document(a_step(kind))) for action in one.actions}
        assert actions == {"iam:PassRole"}


class TestModels:
    def test_are_created_under_the_names_of_pipelines(self) -> None:
        assert granted(document(a_step("Model")), "sagemaker:CreateModel") == [
            f"{SAGEMAKER}model/pipelines-*"
        ]

    def test_are_registered_in_the_one_group_under_both_spellings(self) -> None:
        register = document(a_step("RegisterModel", {"ModelPackageGroupName": "My-Group"}))
        assert granted(register, "sagemaker:CreateModelPackage") == [
            f"{SAGEMAKER}{name}"
            for name in (
                "model-package-group/my-group",
                "model-package-group/My-Group",
                "model-package/my-group/*",
                "model-package/My-Group/*",
            )
        ]

    def test_in_a_group_that_only_a_run_knows_need_every_group(self) -> None:
        register = document(a_step("RegisterModel", {"ModelPackageGroupName": get("Parameters.Late")}))
        assert granted(register, "sagemaker:CreateModelPackageGroup") == [
            f"{SAGEMAKER}model-package-group/*",
            f"{SAGEMAKER}model-package/*/*",
        ]

    def test_in_a_group_of_a_parameter_have_its_default(self) -> None:
        register = document(a_step("RegisterModel", {"ModelPackageGroupName": get("Parameters.Day")}))
        assert granted(register, "sagemaker:CreateModelPackageGroup") == [
            f"{SAGEMAKER}model-package-group/monday",
            f"{SAGEMAKER}model-package/monday/*",
        ]

    def test_without_versions_are_one_package(self) -> None:
        register = document(a_step("RegisterModel", {"ModelPackageName": "package"}))
        assert granted(register, "sagemaker:CreateModelPackage") == [f"{SAGEMAKER}model-package/package"]

    def test_that_were_approved_are_looked_up_by_a_check(self) -> None:
        check = document(a_step("QualityCheck", ModelPackageGroupName="group"))
        assert granted(check, "sagemaker:ListModelPackages") == [
            f"{SAGEMAKER}model-package-group/group",
            f"{SAGEMAKER}model-package/group/*",
        ]
        assert not granted(check, "sagemaker:CreateModelPackage")
        assert not granted(
            document(a_step("QualityCheck", ModelPackageGroupName=None)), "sagemaker:ListModelPackages"
        )

    def test_that_are_explained_are_asked_behind_an_endpoint(self) -> None:
        check = document(a_step("ClarifyCheck", ModelName="model"))
        assert granted(check, "sagemaker:InvokeEndpoint")
        assert granted(check, "sagemaker:DeleteEndpoint")
        assert not granted(document(a_step("ClarifyCheck", ModelName=None)), "sagemaker:InvokeEndpoint")


class TestEndpoints:
    def test_are_made_with_the_configuration_that_the_pipeline_makes(self) -> None:
        config = a_step("EndpointConfig", {"EndpointConfigName": "config"}, "Config")
        arguments = {"EndpointName": "endpoint", "EndpointConfigName": get("Steps.Config.EndpointConfigName")}
        assert granted(
            document(
                config,
                a_step("Endpoint", arguments),
            ),
            "sagemaker:CreateEndpoint",
        ) == [
            *(f"{SAGEMAKER}endpoint/{name}" for name in ("pipelines-*", "endpoint", "endpoint-*")),
            f"{SAGEMAKER}endpoint-config/config",
        ]

    def test_of_components_are_those_of_the_pipeline(self) -> None:
        endpoint = a_step("Endpoint", {"EndpointConfigName": "config"}, "Endpoint")
        component = a_step("InferenceComponent", {"EndpointName": get("Steps.Endpoint.EndpointName")})
        assert granted(document(endpoint, component), "sagemaker:CreateInferenceComponent") == [
            f"{SAGEMAKER}inference-component/pipelines-*",
            f"{SAGEMAKER}endpoint/pipelines-*",
        ]


LATE = placeholders.value("Late")


@pytest.mark.parametrize(
    ("step", "unknown"),
    [
        (a_step("Training", {"AlgorithmSpecification": {"TrainingImage": LATE}}), "TrainingImage"),
        (a_step("Processing", {"AppSpecification": {"ImageUri": get("Parameters.Late")}}), "ImageUri"),
        (a_step("Training", {"OutputDataConfig": {"KmsKeyId": get("Parameters.Late")}}), "KmsKeyId"),
        (a_step("Training", {"RoleArn": get("Parameters.Late")}), "RoleArn"),
        (a_step("Callback", SqsQueueUrl=LATE), "SqsQueueUrl"),
        (a_step("Lambda", FunctionArn=get("Parameters.Late")), "FunctionArn"),
        (a_step("Training", {"AlgorithmSpecification": {"TrainingImage": "docker.io/a:1"}}), None),
        (a_step("Processing", {"AppSpecification": {"ImageUri": IMAGE}}), None),
        (a_step("Training", {"OutputDataConfig": {"KmsKeyId": ""}}), None),
    ],
)
def test_what_the_definition_does_not_tell_is_named(step: dict[str, Any], unknown: str | None) -> None:
    assert unknown_resources(document(step)) == ((("Step", unknown),) if unknown else ())


class TestOtherServices:
    def test_an_image_of_which_only_the_deployment_knows_parts_is_pulled(self) -> None:
        uri = f"{LATE}.dkr.ecr.{LATE}.{LATE}/team/{LATE}:1"
        definition = document(a_step("Processing", {"AppSpecification": {"ImageUri": uri}}))
        assert granted(definition, "ecr:BatchGetImage") == [
            f"arn:${{Partition}}:ecr:{LATE}:{LATE}:repository/team/{LATE}"
        ]

    def test_a_file_system_is_looked_up(self) -> None:
        source = {"FileSystemDataSource": {"FileSystemType": "FSxLustre", "FileSystemId": "fs-1"}}
        definition = document(a_step("Training", {"InputDataConfig": [{"DataSource": source}]}))
        assert granted(definition, "fsx:DescribeFileSystems") == [EVERYTHING]
        source["FileSystemDataSource"]["FileSystemType"] = "EFS"
        assert granted(definition, "elasticfilesystem:DescribeMountTargets") == [
            "arn:${Partition}:elasticfilesystem:${Region}:${Account}:file-system/fs-1"
        ]
        assert granted(definition, "fsx:DescribeFileSystems") == []

    def test_images_are_pulled_from_their_repositories_alone(self) -> None:
        definition = document(a_step("Processing", {"AppSpecification": {"ImageUri": IMAGE}}))
        assert granted(definition, "ecr:BatchGetImage") == [
            "arn:${Partition}:ecr:eu-west-1:111122223333:repository/team/image"
        ]
        assert granted(document(a_step("Processing")), "ecr:GetAuthorizationToken") == []

    def test_logs_and_metrics_are_those_of_the_kind_of_job(self) -> None:
        definition = document(a_step("Training"))
        group = "arn:${Partition}:logs:${Region}:${Account}:log-group:/aws/sagemaker/TrainingJobs"
        assert granted(definition, "logs:PutLogEvents") == [group, f"{group}:*"]
        namespace = ("StringLike", "cloudwatch:namespace", ("/aws/sagemaker/TrainingJobs*",))
        assert the(definition, "cloudwatch:PutMetricData").conditions == (namespace,)

    def test_a_key_for_what_is_written_is_used(self) -> None:
        definition = document(a_step("Training", {"OutputDataConfig": {"KmsKeyId": KEY}}))
        assert granted(definition, "kms:GenerateDataKey") == [KEY]
        assert granted(definition, "kms:CreateGrant") == []

    def test_a_key_for_volumes_is_granted_on_to_aws_alone(self) -> None:
        definition = document(a_step("Training", {"ResourceConfig": {"VolumeKmsKeyId": KEY}}))
        grant = the(definition, "kms:CreateGrant")
        assert grant.resources == (KEY,)
        assert grant.conditions == (("Bool", "kms:GrantIsForAWSResource", ("true",)),)
        assert granted(definition, "kms:Decrypt") == []

    @pytest.mark.parametrize(
        ("key", "resource"),
        [
            (
                "12345678-1234-1234-1234-123456789012",
                "arn:${Partition}:kms:${Region}:${Account}:key/12345678-1234-1234-1234-123456789012",
            ),
            ("mine", "arn:${Partition}:kms:${Region}:${Account}:key/mine"),
            ("alias/mine", "arn:${Partition}:kms:${Region}:${Account}:key/*"),
            ("arn:aws:kms:eu-west-1:444455556666:alias/mine", "arn:aws:kms:eu-west-1:444455556666:key/*"),
        ],
    )
    def test_a_key_that_is_named_otherwise_is_found(self, key: str, resource: str) -> None:
        permission = the(
            document(a_step("Transform", {"TransformOutput": {"KmsKeyId": key}})), "kms:GenerateDataKey"
        )
        assert permission.resources == (resource,)
        alias = ("ForAnyValue:StringEquals", "kms:ResourceAliases", ("alias/mine",))
        assert permission.conditions == ((alias,) if "alias" in key else ())

    def test_a_network_is_entered_in_its_subnets_alone(self) -> None:
        network = {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
        definition = document(a_step("Processing", {"NetworkConfig": network}))
        assert granted(definition, "ec2:CreateNetworkInterface") == [
            f"arn:${{Partition}}:ec2:${{Region}}:${{Account}}:{name}"
            for name in ("network-interface/*", "subnet/subnet-1", "security-group/sg-1")
        ]
        assert granted(definition, "ec2:DescribeSubnets") == [EVERYTHING]
        assert granted(document(a_step("Processing")), "ec2:DescribeSubnets") == []

    def test_a_function_is_called(self) -> None:
        function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
        assert granted(document(a_step("Lambda", FunctionArn=function)), "lambda:InvokeFunction") == [
            function
        ]

    def test_a_queue_is_written_to(self) -> None:
        url = "https://sqs.eu-west-1.amazonaws.com/111122223333/queue"
        assert granted(document(a_step("Callback", SqsQueueUrl=url)), "sqs:SendMessage") == [
            "arn:${Partition}:sqs:eu-west-1:111122223333:queue"
        ]

    def test_a_secret_is_read_where_a_step_names_one(self) -> None:
        secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mine-AbCdEf"
        definition = document(a_step("Processing", {"Environment": {"TOKEN": secret}}))
        assert granted(definition, "secretsmanager:GetSecretValue") == [secret]

    def test_a_function_that_answers_for_a_private_registry_is_called(self) -> None:
        function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
        auth = {"TrainingRepositoryCredentialsProviderArn": function}
        definition = document(
            a_step("Training", {"AlgorithmSpecification": {"TrainingImageConfig": {"Auth": auth}}})
        )
        assert granted(definition, "lambda:InvokeFunction") == [function]

    def test_a_cluster_runs_steps(self) -> None:
        definition = document(a_step("EMR", {"ClusterId": "j-1", "StepConfig": {}}))
        assert granted(definition, "elasticmapreduce:AddJobFlowSteps") == [
            "arn:${Partition}:elasticmapreduce:${Region}:${Account}:cluster/j-1"
        ]
        assert granted(definition, "elasticmapreduce:RunJobFlow") == []
        assert [name.rpartition("/")[2] for name in granted(definition, "events:PutRule")] == [
            "SageMakerPipelineExecutionEMRStepStatusUpdateRule"
        ]

    def test_a_cluster_of_the_steps_own_gets_its_roles(self) -> None:
        config = {"ServiceRole": "Service", "JobFlowRole": "Instances"}
        definition = document(a_step("EMR", {"ClusterConfig": config, "StepConfig": {}}))
        passed = {
            one.resources[0].rpartition("/")[2]: one.conditions[0][2]
            for one in derive(definition)
            if "iam:PassRole" in one.actions
        }
        assert passed == {
            "Service": ("elasticmapreduce.amazonaws.com",),
            "Instances": ("ec2.amazonaws.com",),
            EXECUTION_ROLE: ("sagemaker.amazonaws.com",),
        }
        assert granted(definition, "elasticmapreduce:RunJobFlow") == [EVERYTHING]
        # AWS's managed policy and its page on EMR steps name the rule for a cluster differently.
        assert [name.rpartition("/")[2] for name in granted(definition, "events:PutRule")] == [
            "SageMakerPipelineExecutionEMRStepStatusUpdateRule",
            "SageMakerPipelineExecutionEMRClusterStatusUpdateRule",
            "SageMakerPipelineExecutionEMRClusterStatusRule",
        ]

    def test_an_application_runs_jobs(self) -> None:
        role = placeholders.role("aws")
        definition = document(
            a_step("EMRServerless", {"ApplicationId": "1", "ExecutionRoleArn": role, "JobConfig": {}})
        )
        place = "arn:${Partition}:emr-serverless:${Region}:${Account}:/applications/1"
        assert granted(definition, "emr-serverless:StartJobRun") == [place]
        assert granted(definition, "emr-serverless:GetJobRun") == [f"{place}/jobruns/*"]
        assert granted(definition, "emr-serverless:CreateApplication") == []
        assert granted(definition, "iam:PassRole") == [role, EXECUTION_ROLE]


class TestExperiments:
    def test_are_recorded_in_the_one_of_the_pipeline_and_under_the_names_of_jobs(self) -> None:
        definition = document(a_step("Training"), PipelineExperimentConfig=EXPERIMENT)
        own = [f"{SAGEMAKER}experiment/my-pipeline", f"{SAGEMAKER}experiment/My-Pipeline"]
        assert granted(definition, "sagemaker:CreateExperiment") == own
        assert granted(definition, "sagemaker:CreateTrial") == [*own, f"{SAGEMAKER}experiment-trial/*"]
        assert granted(definition, "sagemaker:CreateTrialComponent") == [
            f"{SAGEMAKER}experiment-trial-component/pipelines-*"
        ]

    def test_of_another_name_have_that_name(self) -> None:
        config = {
            "ExperimentName": "mine",
            "TrialName": join("run", get("Execution.PipelineExecutionId"), on="-"),
        }
        definition = document(a_step("Training"), PipelineExperimentConfig=config)
        assert granted(definition, "sagemaker:CreateExperiment") == [f"{SAGEMAKER}experiment/mine"]
        assert granted(definition, "sagemaker:AssociateTrialComponent") == [
            f"{SAGEMAKER}experiment-trial/run-*",
            f"{SAGEMAKER}experiment-trial-component/pipelines-*",
        ]

    def test_are_not_granted_where_the_definition_has_none(self) -> None:
        definition = document(a_step("Training"), PipelineExperimentConfig=None)
        assert granted(definition, "sagemaker:CreateExperiment") == []

    def test_with_mlflow_are_recorded_on_the_server_that_is_named(self) -> None:
        server = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/mine"
        definition = document(a_step("Training"), MlflowConfig={"MlflowResourceArn": server})
        assert granted(definition, "sagemaker-mlflow:LogMetric") == [server]
        assert granted(document(MlflowConfig=None), "sagemaker-mlflow:LogMetric") == []


class TestRoles:
    def test_the_role_itself_is_handed_to_sagemaker_and_to_no_other_service(self) -> None:
        permission = the(document(a_step("Training")), "iam:PassRole")
        assert permission.resources == (EXECUTION_ROLE,)
        assert permission.conditions == (
            ("StringEquals", "iam:PassedToService", ("sagemaker.amazonaws.com",)),
        )

    def test_a_role_that_a_step_names_is_handed_on_too(self) -> None:
        role = "arn:aws:iam::111122223333:role/other"
        definition = document(a_step("Training", {"RoleArn": role}))
        assert granted(definition, "iam:PassRole") == [role, EXECUTION_ROLE]


def test_every_permission_says_why() -> None:
    for one in derive(document(reading("s3://bucket/a"), PipelineExperimentConfig={})):
        assert one.reason
        assert not one.reason.endswith(".")
