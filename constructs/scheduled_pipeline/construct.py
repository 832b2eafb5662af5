"""``ScheduledPipeline``: a SageMaker pipeline with all that it needs and all that starts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.arguments import check_arguments
from scheduled_pipeline.compilation import check_bound, compile_for, partition_of, split_values
from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.compiler.source import BuildFunction, PipelineDefinition
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.start_parameters import check_parameters
from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.artifact_bucket import artifact_bucket as make_artifact_bucket
from scheduled_pipeline.resources.assets.code_assets import CodeAssets, code_folder
from scheduled_pipeline.resources.bucket_events import BucketEventsValidation
from scheduled_pipeline.resources.dead_letter_queue import dead_letter_queue as make_dead_letter_queue
from scheduled_pipeline.resources.event_rules import EventRule
from scheduled_pipeline.resources.execution_role import execution_policy
from scheduled_pipeline.resources.execution_role import execution_role as make_execution_role
from scheduled_pipeline.resources.jsii_cache import attribute_of, is_token, path_of, place_of, settle
from scheduled_pipeline.resources.monitoring.monitoring import Monitoring
from scheduled_pipeline.resources.monitoring.pipeline_metrics import PipelineMetrics
from scheduled_pipeline.resources.pipeline import Pipeline, check_pipeline_name
from scheduled_pipeline.resources.schedules import Schedule
from scheduled_pipeline.resources.scheduling import OwnScheduling, Scheduling, SchedulingParts
from scheduled_pipeline.resources.trigger_properties import check_key
from scheduled_pipeline.resources.validation.event_loops import check_loops
from scheduled_pipeline.resources.validation.role_trust import RoleTrustValidation
from scheduled_pipeline.schedule_warnings import (
    warn_of_overlaps,
    warn_of_past_dates,
    warn_of_weekday_numbers,
)
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule, SdkSchedule, as_pipeline_schedule


class ScheduledPipeline(Construct, PipelineMetrics):
    """A SageMaker pipeline, the roles it needs, and the schedules that start it, owned by one stack.

    Args:
        scope: where it belongs.
        construct_id: its id there.
        definition: a build function, ``build(context) -> Pipeline``, given itself or as
            ``"module:function"``, or a ``PipelineDefinition``.
        pipeline_name: physical name. Default: that of an object of the SDK, else made from the construct's
            path.
        schedules: schedules by name, this package's or the SageMaker SDK's ``PipelineSchedule``. The name
            is the identity: a renamed schedule is a new one. Default: none.
        events: what starts the pipeline beside its schedules, by name: events and rules on a rate or a cron.
            Default: nothing.
        values: what ``context.value(name)`` answers in the build function; strings may hold CDK tokens.
            Default: none.
        artifact_bucket: where the pipeline reads and writes. Default: where the definition uses
            one, an encrypted, versioned bucket that is kept when the stack is deleted.
        data_buckets: buckets that steps read or write because a parameter may point there. Default: only
            what the definition itself names.
        execution_role: assumed by sagemaker.amazonaws.com to run the steps. What the definition shows that
            the steps need is granted to it either way. Default: a new role.
        scheduler_role: assumed by scheduler.amazonaws.com to start the pipeline. That, and to use the
            dead-letter queue, is granted to it either way. Default: a role that only this
            construct's schedule group can use.
        event_role: assumed by events.amazonaws.com to start the pipeline. Default: a role for each rule,
            which only that rule can use.
        schedule_group: the group of the schedules. Default: a new group, deleted with the stack.
        dead_letter_queue: a standard queue for starts that could not be delivered. Default: an
            encrypted queue that refuses plain HTTP and keeps messages for 14 days.
        encryption_key: encrypts the schedules, and the queue and bucket that are made. Default: keys that
            AWS owns.
        notify: a topic for alerts: executions that failed or were stopped, and the alarms. An ``AlertTopic``
            serves any number of pipelines. Default: nobody is told.
        alarms: whether starts that fail or are lost set off alarms, for the schedule group and the
            dead-letter queue that are made here. Default: they do.
        dashboard: whether there is a dashboard in CloudWatch. Default: there is none.
        sweep_strays: whether, when the pipeline is deleted, schedules and targets of rules that still start
            it and that no stack owns are removed with it, by a Lambda function. Default: they are not.
        experiment_tracking: whether executions may make an experiment and a trial each, which outlive the
            stack. Default: they make those that the definition names; the SDK names some in most Regions.
        max_parallel_steps: how many steps of a run may run at once. Default: the service's, 50.
        description: of the pipeline, at most 3,072 characters. Default: none.
        suppress_findings: findings about the definition to leave out, by id or ``id:path``, such as
            ``unknown-member:Steps.Train.Arguments.Foo``: what AWS accepts and botocore does not know
            yet. Default: none.
        scheduling: what gives the schedules a group and a role that other pipelines use too; the stacks of a
            ``PipelineFleet`` do. Default: a group and a role of this construct's own.

    Attributes:
        pipeline: the ``Pipeline``.
        definition: the definition as it was compiled: its JSON text, parameters, uploads and findings.
        execution_role: runs the steps.
        artifact_bucket: where the pipeline reads and writes; None where the definition uses no bucket.
        encryption_key: encrypts the schedules, and the queue and bucket that are made; None for AWS's keys.
        schedules: the schedules by name, each a ``Schedule``, with ``schedule_name`` and ``schedule_arn``.
        schedule_group: the group of the schedules; None until there is one.
        scheduler_role: starts the pipeline for the schedules; None until there is one.
        event_rules: what else starts the pipeline, by name, each an ``EventRule``.
        event_role: the role that was given for all event rules; None where each has its own.
        dead_letter_queue: takes the starts that could not be delivered; None until something starts the
            pipeline.
        monitoring: the alarms, the rule that sends alerts and the dashboard.

    Raises:
        ValueError: for whatever AWS would refuse later; it names the construct, the field, the value
            and what is allowed.
        TypeError: for a value of a wrong type.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definition: PipelineDefinition | BuildFunction | str,
        pipeline_name: str | None = None,
        schedules: Mapping[str, PipelineSchedule | SdkSchedule] | None = None,
        events: Mapping[str, EventTrigger] | None = None,
        values: Mapping[str, Value] | None = None,
        artifact_bucket: s3.IBucket | None = None,
        data_buckets: Sequence[s3.IBucket] = (),
        execution_role: iam.IRole | None = None,
        scheduler_role: iam.IRole | None = None,
        event_role: iam.IRole | None = None,
        schedule_group: scheduler.IScheduleGroup | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
        encryption_key: kms.IKey | None = None,
        notify: sns.ITopic | None = None,
        alarms: bool = True,
        dashboard: bool = False,
        sweep_strays: bool = False,
        experiment_tracking: bool = True,
        max_parallel_steps: int | None = None,
        description: str | None = None,
        suppress_findings: Sequence[str] = (),
        scheduling: Scheduling | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        settle(self, scope, construct_id)
        check_arguments(path_of(self), ScheduledPipeline, locals())
        if scheduling is not None and (schedule_group, scheduler_role) != (None, None):
            raise ValueError(f"{path_of(self)}: schedule_group and scheduler_role are those of scheduling")
        given = {
            ("execution_role", "sagemaker.amazonaws.com"): execution_role,
            ("scheduler_role", "scheduler.amazonaws.com"): scheduler_role,
            ("event_role", "events.amazonaws.com"): event_role,
        }
        for (field, service), role in given.items():
            if role is not None:
                self.node.add_validation(RoleTrustValidation(role, service, f"{path_of(self)}: {field}"))
        source = self._source(definition)
        self._declared_name = self._claim_name(pipeline_name, source)
        literals, self._tokens = split_values(self, values or {})
        self.definition = compile_for(
            self,
            source,
            self._declared_name,
            literals,
            suppress_findings,
            experiment_tracking=experiment_tracking,
        )

        self.encryption_key = encryption_key
        self.artifact_bucket = artifact_bucket or self._make_artifact_bucket()
        self.execution_role = execution_role or make_execution_role(self, "ExecutionRole")
        folder = code_folder(self._declared_name) if scheduling is None else scheduling.code_folder
        assets = CodeAssets.add(self, self.definition.uploads, folder)
        bindings = {**self._bindings(), **assets.bindings, **self._tokens}
        check_bound(self, self.definition.body, bindings)
        self.pipeline = Pipeline(
            self,
            "Pipeline",
            pipeline_name=self._declared_name,
            definition_body=self.definition.body,
            bindings=bindings,
            role=self.execution_role,
            description=description,
            max_parallel_steps=max_parallel_steps,
            definition_limits=(scheduling or OwnScheduling).definition_limits,
        )
        assets.keep_from_collection(
            self.pipeline.cfn_pipeline, in_template=self.pipeline.definition.kind != "s3"
        )
        self.pipeline.node.add_dependency(
            execution_policy(
                self,
                "ExecutionPolicy",
                role=self.execution_role,
                compiled=self.definition,
                bindings={**self._bindings(), **self._tokens},
                pipeline_name=self._declared_name,
                artifact_bucket=self.artifact_bucket,
                data_buckets=data_buckets,
                assets=assets,
            )
        )

        self.monitoring = Monitoring(
            self,
            "Monitoring",
            metrics=self,
            declared_pipeline_name=self._declared_name,
            notify=notify,
            alarms=alarms,
            dashboard=dashboard,
        )
        self._sweep = self._make_sweep() if sweep_strays else None

        self.scheduler_role = scheduler_role
        self.schedule_group = schedule_group
        self._children: dict[str, Construct] = {}
        self.dead_letter_queue = dead_letter_queue
        self._scheduling = scheduling or OwnScheduling(
            self,
            group=schedule_group,
            role=scheduler_role,
            dead_letter_queue=self._queue,
            encryption_key=encryption_key,
            monitoring=self.monitoring,
        )
        self._parts: SchedulingParts | None = None
        self.schedules: dict[str, Schedule] = {}
        for name, schedule in (schedules or {}).items():
            self.add_schedule(name, schedule)

        self.event_role = event_role
        self.event_rules: dict[str, EventRule] = {}
        for name, trigger in (events or {}).items():
            self.add_event(name, trigger)

    @property
    def pipeline_name(self) -> str:
        """The physical name of the pipeline."""
        return self.pipeline.pipeline_name

    @property
    def pipeline_arn(self) -> str:
        """The ARN of the pipeline."""
        return self.pipeline.pipeline_arn

    def add_schedule(self, name: str, schedule: PipelineSchedule | SdkSchedule) -> Schedule:
        """Start the pipeline on one more schedule.

        The schedule group, the scheduler role and the dead-letter queue are made with the first one.

        Args:
            name: 1 to 64 of ``0-9a-zA-Z-_.``, unique in this construct.
            schedule: a ``PipelineSchedule``, this package's or the SageMaker SDK's.

        Raises:
            ValueError: the name is taken or not allowed, or the parameters do not fit the pipeline.
            TypeError: not a schedule.
        """
        path = f"{path_of(self)}: schedule {name!r}"
        check_key(name, self.schedules, path)
        try:
            schedule = as_pipeline_schedule(schedule)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{path}: {error}") from None
        check_parameters(
            dict(schedule.pipeline_parameters), self.definition.parameters, path, schedule.start_values
        )
        others = {key: other.schedule for key, other in self.schedules.items()}
        warn_of_past_dates(self, name, schedule)
        warn_of_weekday_numbers(self, f"schedule {name!r}", schedule.parsed)
        warn_of_overlaps(self, name, schedule, others)
        parts = self._scheduling_parts()
        self.schedules[name] = Schedule(
            self._child("Schedules"),
            name,
            schedule=schedule,
            pipeline=self.pipeline,
            declared_pipeline_name=self._declared_name,
            group=parts.group,
            foreign_group=parts.foreign_group,
            role=parts.role,
            policy=parts.policy,
            dead_letter_queue=self._queue(),
            encryption_key=self.encryption_key,
        )
        return self.schedules[name]

    def add_event(self, name: str, trigger: EventTrigger) -> EventRule:
        """Start the pipeline on one more kind of event.

        Args:
            name: 1 to 64 of ``0-9a-zA-Z-_.``, unique among the events of this construct.
            trigger: which events, and with what parameters.

        Raises:
            ValueError: the name is taken or not allowed, or the parameters do not fit the pipeline.
            TypeError: not an ``EventTrigger``.
        """
        path = f"{path_of(self)}: event {name!r}"
        check_key(name, self.event_rules, path)
        if not isinstance(trigger, EventTrigger):
            raise TypeError(f"{path}: must be an EventTrigger, got {trigger!r} ({type(trigger).__name__})")
        check_parameters(
            dict(trigger.pipeline_parameters), self.definition.parameters, path, trigger.start_values
        )
        if trigger.parsed is not None:
            warn_of_weekday_numbers(self, f"event {name!r}", trigger.parsed)
        check_loops(
            self,
            path,
            trigger,
            compiled=self.definition,
            bindings={**self._bindings(), **self._tokens},
            pipeline_name=self._declared_name,
        )
        self.node.add_validation(BucketEventsValidation(trigger, path))
        self.event_rules[name] = EventRule(
            self._child("Events"),
            name,
            trigger=trigger,
            pipeline=self.pipeline,
            declared_pipeline_name=self._declared_name,
            role=self.event_role,
            dead_letter_queue=self._queue(),
        )
        return self.event_rules[name]

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start the pipeline."""
        return self.pipeline.grant_start_pipeline_execution(grantee)

    def _source(self, definition: PipelineDefinition | BuildFunction | str) -> PipelineDefinition:
        try:
            return PipelineDefinition.of(definition)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{path_of(self)}: {error}") from None

    def _claim_name(self, pipeline_name: str | None, source: PipelineDefinition) -> str:
        """Return the physical name: the one given, that of an SDK object, or one made from the path."""
        name = pipeline_name or source.own_name or names.derived_pipeline_name(self)
        check_pipeline_name(name, path_of(self))
        names.claim(self, "pipeline", name.lower(), shown=name)
        return name

    def _make_artifact_bucket(self) -> s3.IBucket | None:
        if placeholders.ARTIFACT_BUCKET not in self.definition.body:
            return None
        return make_artifact_bucket(self, "ArtifactBucket", self.encryption_key)

    def _make_sweep(self) -> Construct:
        # Not above: with the CDK's module of Lambda come those of most services, 0.3 s of import.
        from scheduled_pipeline.resources.sweep.stray_sweep import StraySweep

        return StraySweep(self, "StraySweep", pipeline=self.pipeline)

    def _bindings(self) -> dict[str, str]:
        bindings = {placeholders.ACCOUNT: place_of(self).account}
        if self.artifact_bucket is not None:
            bindings[placeholders.ARTIFACT_BUCKET] = attribute_of(self.artifact_bucket, "bucket_name")
        if not is_token(place_of(self).region):
            bindings[placeholders.role(partition_of(self))] = attribute_of(self.execution_role, "role_arn")
        return bindings

    def _scheduling_parts(self) -> SchedulingParts:
        if self._parts is None:
            self._parts = self._scheduling.parts_for(self.pipeline)
            self.schedule_group, self.scheduler_role = self._parts.group, self._parts.role
        return self._parts

    def _queue(self) -> sqs.IQueue:
        if self.dead_letter_queue is None:
            self.dead_letter_queue = make_dead_letter_queue(self, "DeadLetterQueue", self.encryption_key)
            self.monitoring.watch_queue(self.dead_letter_queue)
        return self.dead_letter_queue

    def _child(self, construct_id: str) -> Construct:
        if construct_id not in self._children:
            self._children[construct_id] = Construct(self, construct_id)
            settle(self._children[construct_id], self, construct_id)
            if self._sweep is not None:  # which runs when all of them are gone
                self._children[construct_id].node.add_dependency(self._sweep)
        return self._children[construct_id]
