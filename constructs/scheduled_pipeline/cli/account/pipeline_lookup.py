"""Whether a pipeline that a trigger starts exists."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import AwsError, api_errors
from scheduled_pipeline.cli.account.calls import listed
from scheduled_pipeline.cli.account.trigger_records import PipelineReference, TriggerRecord

_PAGE = 100


class Existence(Enum):
    """What is known of a pipeline; the value is what is printed."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "cannot be checked"

    @property
    def known(self) -> bool | None:
        """Whether it exists; nothing when that is unknown."""
        return None if self is Existence.UNKNOWN else self is Existence.YES


class PipelineLookup:
    """Answers from one listing of the pipelines of each Region: ``sagemaker:ListPipelines``, once a page."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._known: dict[str, frozenset[str]] = {}
        self._unlisted: dict[tuple[str, str, str], Existence] = {}
        self._unreachable: set[str] = set()

    def existence(self, record: TriggerRecord) -> Existence:
        """Whether the trigger's pipeline is among the pipelines of its Region.

        Unknown is a pipeline of another account, which the trigger's account cannot list, one that the input
        of the trigger does not name, and one in another Region that cannot be asked: one trigger that names
        such a Region does not hide the others.

        Raises:
            ClientError: the trigger's own Region refused the call; and botocore's others.
        """
        pipeline = record.pipeline
        if pipeline is None or pipeline.account != record.account:
            return Existence.UNKNOWN
        return self._elsewhere(record, lambda: self._listed(pipeline))

    def confirmed(self, record: TriggerRecord) -> Existence:
        """As ``existence``, but ask ``sagemaker:DescribePipeline`` once for a pipeline that is not listed."""
        found = self.existence(record)
        if found is not Existence.NO or record.pipeline is None:
            return found
        pipeline = record.pipeline
        if pipeline.key not in self._unlisted:
            self._unlisted[pipeline.key] = self._elsewhere(record, lambda: self._described(pipeline))
        return self._unlisted[pipeline.key]

    def _elsewhere(self, record: TriggerRecord, ask: Callable[[], Existence]) -> Existence:
        """Look in another Region than the trigger's; unknown when that Region cannot be asked."""
        region = record.region if record.pipeline is None else record.pipeline.region
        if region == record.region:
            return ask()
        if region in self._unreachable:
            return Existence.UNKNOWN
        try:
            with api_errors():
                return ask()
        except AwsError:
            self._unreachable.add(region)
            return Existence.UNKNOWN

    def _listed(self, pipeline: PipelineReference) -> Existence:
        return Existence.YES if pipeline.name.lower() in self._names(pipeline.region) else Existence.NO

    def _described(self, pipeline: PipelineReference) -> Existence:
        from botocore.exceptions import ClientError

        client = self._aws.client("sagemaker", pipeline.region)
        try:
            client.describe_pipeline(PipelineName=pipeline.named)
        except client.exceptions.ResourceNotFound:
            return Existence.NO
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            return Existence.UNKNOWN  # no pipeline can have this name
        return Existence.YES

    def _names(self, region: str) -> frozenset[str]:
        if region not in self._known:
            client = self._aws.client("sagemaker", region)
            found = listed(client.list_pipelines, "PipelineSummaries", MaxResults=_PAGE)
            # The name within an ARN may be in lower case, so the case tells nothing.
            self._known[region] = frozenset(summary["PipelineName"].lower() for summary in found)
        return self._known[region]
