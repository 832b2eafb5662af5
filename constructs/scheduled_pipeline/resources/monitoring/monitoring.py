"""What tells people that a pipeline failed or was not started: a rule, alarms and a dashboard."""

from __future__ import annotations

import jsii
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.jsii_cache import place_of
from scheduled_pipeline.resources.monitoring.alert_topic import allow_alerts
from scheduled_pipeline.resources.monitoring.pipeline_metrics import PipelineMetrics
from scheduled_pipeline.trigger import sagemaker_events

# The events of https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
_PATHS = {
    "status": "$.detail.currentPipelineExecutionStatus",
    "execution": "$.detail.pipelineExecutionArn",
    "started": "$.detail.executionStartTime",
    "time": "$.time",
    "region": "$.region",
}
_PERIOD = Duration.minutes(5)
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


class Monitoring(Construct):
    """The alerts of one pipeline.

    Args:
        scope: where it belongs.
        construct_id: its id there.
        metrics: of the pipeline's executions.
        declared_pipeline_name: the pipeline's physical name, known at synth.
        notify: where alerts go. Default: nowhere; alarms only change their state.
        alarms: whether alarms are made.
        dashboard: whether a dashboard is made.

    Attributes:
        rule: announces executions that failed or were stopped; None without ``notify``.
        alarms: by name: ``DeadLetters``, ``TargetErrors``, ``DroppedStarts`` and ``LostDeadLetters``, as soon
            as there is something to watch.
        dashboard: the dashboard, or None.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metrics: PipelineMetrics,
        declared_pipeline_name: str,
        notify: sns.ITopic | None,
        alarms: bool,
        dashboard: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._pipeline_name = declared_pipeline_name
        self._action = None if notify is None else _Notification(notify.topic_arn)
        self._with_alarms = alarms
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        self.rule = None if notify is None else self._announce_endings(notify)
        self.dashboard = self._make_dashboard(metrics) if dashboard else None

    def watch_queue(self, queue: sqs.IQueue) -> None:
        """Alarm when a start that could not be delivered lies in the queue."""
        depth = queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
        self._alarm("DeadLetters", depth, "starts that could not be delivered are in the dead-letter queue")
        self._show("Starts in the dead-letter queue", depth)

    def watch_group(self, group: scheduler.IScheduleGroup) -> None:
        """Alarm when EventBridge Scheduler cannot start a pipeline for a schedule of the group.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
        """
        errors = group.metric_target_errors(period=_PERIOD, statistic="Sum")
        dropped = group.metric_dropped(period=_PERIOD, statistic="Sum")
        lost = group.metric_failed_to_be_sent_to_dlq(period=_PERIOD, statistic="Sum")
        self._alarm("TargetErrors", errors, "SageMaker refused a start, which may be tried again")
        self._alarm("DroppedStarts", dropped, "EventBridge Scheduler gave up a start: a run is missing")
        self._alarm("LostDeadLetters", lost, "a start was given up and did not reach the dead-letter queue")
        attempts = group.metric_attempts(period=_PERIOD, statistic="Sum")
        self._show("Starts by EventBridge Scheduler", attempts, errors, dropped)

    def _announce_endings(self, topic: sns.ITopic) -> events.CfnRule:
        """Send what a person needs to know of an execution that failed or was stopped.

        SageMaker may send an event more than once for one change, so a message may come twice.
        """
        allow_alerts(topic, self)
        target = events.CfnRule.TargetProperty(
            id="Alerts",
            arn=topic.topic_arn,
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map=_PATHS, input_template=self._message()
            ),
        )
        return events.CfnRule(
            self,
            "Endings",
            name=self._name("Endings", kind="rule", prefix="default/"),
            description=f"announces executions of {self._pipeline_name} that failed or were stopped",
            event_pattern=sagemaker_events.pipeline_execution_failure(self._pipeline_name),
            state="ENABLED",
            targets=[target],
        )

    def _message(self) -> str:
        """Return the template of the message: a text of several lines has each of them in quotes."""
        command = "--pipeline-execution-arn <execution> --region <region>"
        lines = [
            f"SageMaker pipeline {self._pipeline_name}: <status>",
            "Execution: <execution>",
            "Time: <time>, started <started>",
            f"Why: aws sagemaker describe-pipeline-execution {command}",
            f"Steps: aws sagemaker list-pipeline-execution-steps {command}",
            f"Console: https://{self._console()}/sagemaker/home?region=<region>",
        ]
        return "\n".join(f'"{line}"' for line in lines)

    def _console(self) -> str:
        region = place_of(self).region
        hosts = [host for prefix, host in _CONSOLES.items() if region.startswith(prefix)]
        return hosts[0] if hosts else "console.aws.amazon.com"

    def _alarm(self, name: str, metric: cloudwatch.Metric, meaning: str) -> None:
        """Make an alarm that goes off with the first one; no data means that nothing happened."""
        if not self._with_alarms:
            return
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=self._name(name, kind="alarm"),
            alarm_description=f"{self._pipeline_name}: {meaning}",
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._action is not None:
            alarm.add_alarm_action(self._action)
        self.alarms[name] = alarm

    def _make_dashboard(self, metrics: PipelineMetrics) -> cloudwatch.Dashboard:
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=self._name("Pipeline", kind="dashboard")
        )
        started, succeeded = metrics.metric_started(), metrics.metric_succeeded()
        dashboard.add_widgets(
            _graph("Executions", started, succeeded),
            _graph(
                "Executions that failed or were stopped", metrics.metric_failed(), metrics.metric_stopped()
            ),
            _graph("Duration of executions", metrics.metric_duration()),
        )
        return dashboard

    def _show(self, title: str, *shown: cloudwatch.IMetric) -> None:
        if self.dashboard is not None:
            self.dashboard.add_widgets(_graph(title, *shown))

    def _name(self, key: str, *, kind: str, prefix: str = "") -> str:
        name = names.derived_trigger_name(self._pipeline_name, key)
        names.claim(self, kind, f"{prefix}{name}", shown=name)
        return name


@jsii.implements(cloudwatch.IAlarmAction)
class _Notification:
    """Sends an alarm to a topic; the CDK's own action brings the modules of Lambda and EC2 with it."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn

    @jsii.member(jsii_name="bind")
    def bind(self, scope: Construct, alarm: cloudwatch.IAlarm) -> cloudwatch.AlarmActionConfig:
        """Return what the alarm does."""
        return cloudwatch.AlarmActionConfig(alarm_action_arn=self._topic_arn)


def _graph(title: str, *shown: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(shown), width=8)
