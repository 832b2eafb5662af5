import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws

ROLE = "arn:aws:iam::111122223333:role/execution"
TOKEN = "a" * 32
PARAMETERS: list[dict[str, Any]] = [
    {"Name": "RunDate", "Type": "String"},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 2},
    {"Name": "Rate", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Full", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Mode", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
]
RUN_DATE = {"Name": "RunDate", "Value": "2026-11-21"}


def definition(parameters: list[dict[str, Any]] = PARAMETERS, step: str = "Only") -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [{"Name": step}]})


@pytest.fixture
def sagemaker(aws: LocalAws) -> Any:
    client = aws.client("sagemaker")
    client.create_pipeline(PipelineName="MyTraining", PipelineDefinition=definition(), RoleArn=ROLE)
    return client


def start(client: Any, **request: Any) -> str:
    request = {"PipelineName": "MyTraining", "PipelineParameters": [RUN_DATE], **request}
    return str(client.start_pipeline_execution(**request)["PipelineExecutionArn"])


def test_a_pipeline_is_described_as_it_was_created(aws: LocalAws, sagemaker: Any) -> None:
    described = sagemaker.describe_pipeline(PipelineName="MyTraining")
    assert described["PipelineName"] == described["PipelineDisplayName"] == "MyTraining"
    assert json.loads(described["PipelineDefinition"]) == json.loads(definition())
    assert (described["RoleArn"], described["PipelineStatus"]) == (ROLE, "Active")


def test_the_arn_has_the_name_in_lower_case_and_finds_the_pipeline(aws: LocalAws, sagemaker: Any) -> None:
    arn = sagemaker.describe_pipeline(PipelineName="MyTraining")["PipelineArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{aws.account}:pipeline/mytraining"
    assert sagemaker.describe_pipeline(PipelineName=arn)["PipelineName"] == "MyTraining"


def test_accounts_and_regions_do_not_see_each_other(aws: LocalAws, sagemaker: Any) -> None:
    elsewhere = [aws.client("sagemaker", region="eu-west-1"), aws.client("sagemaker", account="111122223333")]
    assert all("MyTraining" not in str(client.list_pipelines()["PipelineSummaries"]) for client in elsewhere)
    assert len(sagemaker.list_pipelines()["PipelineSummaries"]) == 1


def test_an_update_changes_what_is_given_and_makes_a_version_of_a_new_definition(sagemaker: Any) -> None:
    changed = definition(step="Other")
    answer = sagemaker.update_pipeline(PipelineName="MyTraining", PipelineDefinition=changed)
    assert answer["PipelineVersionId"] == 2
    sagemaker.update_pipeline(PipelineName="MyTraining", PipelineDescription="nightly")
    described = sagemaker.describe_pipeline(PipelineName="MyTraining")
    assert (described["PipelineDefinition"], described["PipelineDescription"]) == (changed, "nightly")
    first = sagemaker.describe_pipeline(PipelineName="MyTraining", PipelineVersionId=1)
    assert json.loads(first["PipelineDefinition"]) == json.loads(definition())


def test_a_definition_is_read_from_a_version_of_an_s3_object(aws: LocalAws, sagemaker: Any) -> None:
    s3, bucket = aws.client("s3"), f"definitions-{aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="d.json", Body=definition(step="First").encode())["VersionId"]
    s3.put_object(Bucket=bucket, Key="d.json", Body=definition(step="Second").encode())
    location = {"Bucket": bucket, "ObjectKey": "d.json"}
    for name, where in (("Latest", location), ("Pinned", {**location, "VersionId": first})):
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinitionS3Location=where, RoleArn=ROLE)
    steps = {
        name: json.loads(sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"])["Steps"]
        for name in ("Latest", "Pinned")
    }
    assert steps == {"Latest": [{"Name": "Second"}], "Pinned": [{"Name": "First"}]}


def test_a_second_pipeline_of_a_name_is_refused_unless_the_token_is_the_same(sagemaker: Any) -> None:
    request = {"PipelineName": "Other", "PipelineDefinition": definition(), "RoleArn": ROLE}
    first = sagemaker.create_pipeline(**request, ClientRequestToken=TOKEN)
    assert (
        sagemaker.create_pipeline(**request, ClientRequestToken=TOKEN)["PipelineArn"] == first["PipelineArn"]
    )
    with pytest.raises(ClientError, match=r"ValidationException.*name \(Other\) already exists"):
        sagemaker.create_pipeline(**request)


@pytest.mark.parametrize(
    ("request_change", "message"),
    [
        ({"PipelineName": "under_score"}, "at 'pipelineName' failed to satisfy constraint"),
        ({"PipelineDefinition": "{"}, "Unable to parse pipeline definition"),
        ({"PipelineDefinition": "{}"}, "Unable to parse pipeline definition"),
        ({"RoleArn": "arn:aws:iam::1:role/short"}, "at 'roleArn' failed to satisfy constraint"),
        ({"ClientRequestToken": "short-token-of-31-characters-ab"}, "length greater than or equal to 32"),
    ],
)
def test_what_the_service_refuses_is_refused(
    unchecked: Callable[[str], Any], request_change: dict[str, str], message: str
) -> None:
    request = {"PipelineName": "Other", "PipelineDefinition": definition(), "RoleArn": ROLE}
    with pytest.raises(ClientError, match=message):
        unchecked("sagemaker").create_pipeline(**{**request, **request_change})


def test_an_execution_has_the_given_parameters_and_the_defaults_of_the_others(sagemaker: Any) -> None:
    arn = start(sagemaker, PipelineExecutionDisplayName="nightly-1")
    listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert {item["Name"]: item["Value"] for item in listed["PipelineParameters"]} == {
        "RunDate": "2026-11-21",
        "Count": "2",
        "Rate": "0.5",
        "Full": "false",
        "Mode": "a",
    }
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionDisplayName"] == "nightly-1"
    assert described["PipelineExecutionStatus"] == "Executing"
    assert sagemaker.list_pipeline_executions(PipelineName="MyTraining")["PipelineExecutionSummaries"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "Parameter 'RunDate' is undefined"),
        ([RUN_DATE, {"Name": "Typo", "Value": "1"}], "Unknown parameter 'Typo'"),
        ([RUN_DATE, RUN_DATE], "Parameter 'RunDate' is given more than once"),
        ([{"Name": "RunDate", "Value": ""}], "too short"),
        ([RUN_DATE, {"Name": "Count", "Value": "1.5"}], "Expected Integer but found '1.5'"),
        ([RUN_DATE, {"Name": "Rate", "Value": "fast"}], "Expected Float but found 'fast'"),
        ([RUN_DATE, {"Name": "Full", "Value": "yes"}], "Expected Boolean but found 'yes'"),
        ([RUN_DATE, {"Name": "Mode", "Value": "c"}], r"not one of \['a', 'b'\]"),
        ([{"Name": "RunDate", "Value": "x" * 1025}], "length less than or equal to 1024"),
    ],
)
def test_a_start_with_parameters_the_definition_does_not_take_is_refused(
    sagemaker: Any, parameters: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as error:
        start(sagemaker, PipelineParameters=parameters)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_pipeline_executions(PipelineName="MyTraining")["PipelineExecutionSummaries"] == []


def test_one_token_starts_one_execution_of_a_pipeline(sagemaker: Any) -> None:
    assert start(sagemaker, ClientRequestToken=TOKEN) == start(sagemaker, ClientRequestToken=TOKEN)
    assert start(sagemaker) != start(sagemaker)
    assert (
        len(sagemaker.list_pipeline_executions(PipelineName="MyTraining")["PipelineExecutionSummaries"]) == 3
    )


def test_a_pipeline_that_is_not_there_cannot_be_started(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r"Pipeline '.*:pipeline/gone' does not exist") as error:
        start(sagemaker, PipelineName="Gone")
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"


def test_an_execution_keeps_the_definition_it_started_with(sagemaker: Any) -> None:
    arn = start(sagemaker)
    sagemaker.update_pipeline(PipelineName="MyTraining", PipelineDefinition=definition(step="Later"))
    kept = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert json.loads(kept["PipelineDefinition"])["Steps"] == [{"Name": "Only"}]
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert [step["StepName"] for step in steps] == ["Only"]


def test_an_execution_is_stopped(sagemaker: Any) -> None:
    arn = start(sagemaker)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Stopped"


def test_an_execution_ends_by_itself(sagemaker: Any, eventually: Callable[..., Any]) -> None:
    arn = start(sagemaker)

    def status() -> Any:
        return sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]

    assert eventually(lambda: status() == "Succeeded")


def test_a_test_can_fail_an_execution(aws: LocalAws, sagemaker: Any) -> None:
    arn = start(sagemaker)
    aws.finish(arn, status="Failed", failure_reason="Step Only failed.")
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step Only failed."


def test_a_test_can_fail_a_step(aws: LocalAws, sagemaker: Any) -> None:
    arn = start(sagemaker)
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    aws.finish(arn, status="Failed", failed_step=step["StepName"], failure_reason="no data")
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert (step["StepStatus"], step["FailureReason"]) == ("Failed", "no data")
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."


def test_a_pipeline_is_not_deleted_while_an_execution_runs(aws: LocalAws, sagemaker: Any) -> None:
    arn = start(sagemaker)
    with pytest.raises(ClientError, match=r"ConflictException.*has running executions"):
        sagemaker.delete_pipeline(PipelineName="MyTraining")
    aws.finish(arn)
    sagemaker.delete_pipeline(PipelineName="MyTraining")


def test_a_deleted_pipeline_is_gone_with_its_executions(aws: LocalAws, sagemaker: Any) -> None:
    arn = start(sagemaker)
    aws.finish(arn)
    sagemaker.delete_pipeline(PipelineName="MyTraining")
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)


def test_listings_come_in_pages_in_the_order_asked_for(sagemaker: Any) -> None:
    for name in ("Bee", "Ant", "Cat"):
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition(), RoleArn=ROLE)
    pages = sagemaker.get_paginator("list_pipelines").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 3}
    )
    names = [[pipeline["PipelineName"] for pipeline in page["PipelineSummaries"]] for page in pages]
    assert names == [["Ant", "Bee", "Cat"], ["MyTraining"]]


def test_tags_are_added_and_deleted(sagemaker: Any) -> None:
    arn = sagemaker.describe_pipeline(PipelineName="MyTraining")["PipelineArn"]
    sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "ml"}, {"Key": "stage", "Value": "dev"}]
    )
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ml"}]


def test_the_rest_of_sagemaker_answers_too(aws: LocalAws) -> None:
    sagemaker = aws.client("sagemaker")
    arn = sagemaker.create_model_package_group(ModelPackageGroupName="Abalone")["ModelPackageGroupArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{aws.account}:model-package-group/Abalone"
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == ["Abalone"]
