"""Whether a pipeline that a trigger starts exists."""

from __future__ import annotations

from enum import Enum

from scheduled_pipeline.cli.aws import Aws
from scheduled_pipeline.cli.calls import listed
from scheduled_pipeline.cli.trigger_records import PipelineReference, TriggerRecord

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
    """Answers from one listing of the pipelines of each Region: `sagemaker:ListPipelines`, once a page."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._known: dict[str, frozenset[str]] = {}
        self._missing: dict[tuple[str, str, str], bool] = {}

    def existence(self, record: TriggerRecord) -> Existence:
        """Whether the trigger's pipeline is among the pipelines of its Region.

        Unknown is a pipeline of another account, which the trigger's account cannot list, and one that the
        input of the trigger does not name.
        """
        pipeline = record.pipeline
        if pipeline is None or pipeline.account != record.account:
            return Existence.UNKNOWN
        return Existence.YES if pipeline.name.lower() in self._names(pipeline.region) else Existence.NO

    def confirmed(self, record: TriggerRecord) -> Existence:
        """The same; a pipeline that is not listed is asked for: `sagemaker:DescribePipeline`, once each."""
        found = self.existence(record)
        if found is not Existence.NO or record.pipeline is None:
            return found
        key = record.pipeline.key
        if key not in self._missing:
            self._missing[key] = self._is_missing(record.pipeline)
        return Existence.NO if self._missing[key] else Existence.YES

    def _is_missing(self, pipeline: PipelineReference) -> bool:
        client = self._aws.client("sagemaker", pipeline.region)
        try:
            client.describe_pipeline(PipelineName=pipeline.named)
        except client.exceptions.ResourceNotFound:
            return True
        return False

    def _names(self, region: str) -> frozenset[str]:
        if region not in self._known:
            client = self._aws.client("sagemaker", region)
            found = listed(client.list_pipelines, "PipelineSummaries", MaxResults=_PAGE)
            # The name within an ARN may be in lower case, so the case tells nothing.
            self._known[region] = frozenset(summary["PipelineName"].lower() for summary in found)
        return self._known[region]
