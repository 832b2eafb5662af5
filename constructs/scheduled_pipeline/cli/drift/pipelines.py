"""SageMaker pipelines."""

from __future__ import annotations

from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import NOT_FOUND
from scheduled_pipeline.cli.assembly.intrinsics import Text
from scheduled_pipeline.cli.drift.kind import Declared, Kind
from scheduled_pipeline.cli.drift.values import document, pruned

# The default where none is set. Whether DescribePipeline has it then is not documented: both are alike.
_PARALLELISM = {"MaxParallelExecutionSteps": 50}


class PipelineKind(Kind):
    """``AWS::SageMaker::Pipeline``, read with ``sagemaker:DescribePipeline``.

    The definition is compared by content, wherever the template has it: ``extra`` is its text, or a ``Text``
    where some of it is not known.
    """

    name = "pipeline"
    template_type = "AWS::SageMaker::Pipeline"

    def read(self, aws: Aws, declared: Declared) -> Any:
        """DescribePipeline returns the text of a definition in S3 too."""
        from botocore.exceptions import ClientError

        client = aws.client("sagemaker", declared.region)
        try:
            return client.describe_pipeline(PipelineName=declared.name)
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_FOUND:
                return None
            raise

    def template_form(self, declared: Declared) -> Any:
        """The properties, with the text of the definition in the place of where it is."""
        return self._form({**declared.properties, "PipelineDefinition": declared.extra})

    def account_form(self, answer: Any) -> Any:
        """What DescribePipeline has of the same."""
        return self._form(answer)

    def _form(self, settings: Any) -> Any:
        names = ("PipelineDescription", "RoleArn", "ParallelismConfiguration")
        form = pruned({name: settings[name] for name in names if name in settings})
        if form.get("ParallelismConfiguration") == _PARALLELISM:
            del form["ParallelismConfiguration"]
        return {**form, "PipelineDefinition": document(settings["PipelineDefinition"])}

    def put_back(self, aws: Aws, declared: Declared, answer: Any) -> None:
        """UpdatePipeline keeps what is not sent; each definition that differs is a new version."""
        properties = declared.properties
        request = {
            "PipelineName": declared.name,
            "RoleArn": properties["RoleArn"],
            "PipelineDescription": properties.get("PipelineDescription", ""),
        }
        if "ParallelismConfiguration" in properties:
            request["ParallelismConfiguration"] = properties["ParallelismConfiguration"]
        if document(answer["PipelineDefinition"]) != document(declared.extra):
            request["PipelineDefinition"] = declared.extra
        aws.client("sagemaker", declared.region).update_pipeline(**request)


def definition_unknown(reason: str) -> Text:
    """Stands for a definition that the assembly does not have."""
    return Text(text=f"<{reason}>", known=False)
