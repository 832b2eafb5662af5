"""The alarms of a fleet: one set for each schedule group and one for the queue, not one for each pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources.monitoring.monitoring import Monitoring
from scheduled_pipeline.resources.monitoring.pipeline_metrics import PipelineMetrics


@dataclass(frozen=True, kw_only=True)
class FleetAlarms:
    """Whether there are alarms, and who is told.

    Attributes:
        enabled: whether alarms are made.
        notify: where they go; None: they only change their state.
    """

    enabled: bool
    notify: sns.ITopic | None

    def watch_group(self, scope: Construct, name: str, group: scheduler.IScheduleGroup) -> None:
        """Alarm when a schedule of the group cannot start its pipeline; ``name`` is in their names."""
        if self.enabled:
            monitoring = self._monitoring(scope, name)
            monitoring.watch_group(group)
            self._connect(monitoring)

    def watch_queue(self, scope: Construct, name: str, queue: sqs.IQueue) -> None:
        """Alarm when a start that could not be delivered lies in the queue."""
        if self.enabled:
            monitoring = self._monitoring(scope, name)
            monitoring.watch_queue(queue)
            self._connect(monitoring)

    def _monitoring(self, scope: Construct, name: str) -> Monitoring:
        return Monitoring(
            scope,
            "Monitoring",
            metrics=PipelineMetrics(),  # for a dashboard, which there is none of
            declared_pipeline_name=name,
            notify=None,
            alarms=True,
            dashboard=False,
        )

    def _connect(self, monitoring: Monitoring) -> None:
        if self.notify is not None:
            for alarm in monitoring.alarms.values():
                alarm.add_alarm_action(actions.SnsAction(self.notify))
