"""What Amazon CloudWatch counts about the executions of a pipeline."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "AWS/Sagemaker/ModelBuildingPipeline"
"""Where SageMaker puts the metrics of pipelines; the spelling is AWS's."""


class PipelineMetrics:
    """The metrics of one pipeline, whoever started its executions.

    They are those of https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, "SageMaker
    pipelines metrics". Each method takes a period, by default 5 minutes.
    """

    @property
    def pipeline_name(self) -> str:
        """The physical name of the pipeline."""
        raise NotImplementedError

    def metric_started(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """How many executions started."""
        return self._metric("ExecutionStarted", "Sum", period)

    def metric_succeeded(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """How many executions succeeded."""
        return self._metric("ExecutionSucceeded", "Sum", period)

    def metric_failed(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """How many executions failed.

        Whether an execution that ends as ``CompletedWithFailures`` is among them, that page does not say. The
        alerts of ``notify=`` tell of it.
        """
        return self._metric("ExecutionFailed", "Sum", period)

    def metric_stopped(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """How many executions were stopped."""
        return self._metric("ExecutionStopped", "Sum", period)

    def metric_duration(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """How long executions ran on average, in milliseconds."""
        return self._metric("ExecutionDuration", "Average", period)

    def _metric(self, name: str, statistic: str, period: Duration | None) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"PipelineName": self.pipeline_name},
            statistic=statistic,
            period=period or Duration.minutes(5),
        )
