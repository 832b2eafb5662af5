"""``ScheduledPipeline``: a SageMaker pipeline with all that it needs and all that starts it."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.compiler import shared_compiler
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.source import BuildFunction, PipelineDefinition
from scheduled_pipeline.parameters import check_parameters
from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.artifact_bucket import artifact_bucket as make_artifact_bucket
from scheduled_pipeline.resources.bucket_events import BucketEventsValidation
from scheduled_pipeline.resources.code_assets import CodeAssets
from scheduled_pipeline.resources.dead_letter_queue import dead_letter_queue as make_dead_letter_queue
from scheduled_pipeline.resources.dead_letter_queue import grant_dead_letters
from scheduled_pipeline.resources.event_rules import EventRule
from scheduled_pipeline.resources.execution_role import execution_role as make_execution_role
from scheduled_pipeline.resources.execution_role import grant_artifacts, grant_run
from scheduled_pipeline.resources.pipeline import Pipeline, check_pipeline_name
from scheduled_pipeline.resources.scheduler_role import scheduler_role as make_scheduler_role
from scheduled_pipeline.resources.schedules import Schedule, check_key, schedule_group
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule, as_pipeline_schedule
from scheduled_pipeline.warnings import warn_of_overlaps, warn_of_past_dates

# `cdk synth -c scheduled-pipeline:sdk-output=true` shows what the SDK and build functions print.
_SDK_OUTPUT = "scheduled-pipeline:sdk-output"


class ScheduledPipeline(Construct):
    """A SageMaker pipeline, the roles it needs, and the schedules that start it, owned by one stack.

    Args:
        scope: where it belongs.
        construct_id: its id there.
        definition: a build function, ``build(context) -> Pipeline``, given itself or as
            ``"module:function"``, or a ``PipelineDefinition``.
        pipeline_name: physical name. Default: made from the construct's path.
        schedules: schedules by name, this package's or the SageMaker SDK's ``PipelineSchedule``. The name
            is the identity: a renamed schedule is a new one. Default: none.
        events: what starts the pipeline beside its schedules, by name: events and rules on a rate or a cron.
            Default: nothing.
        values: what ``context.value(name)`` answers in the build function; strings may hold CDK tokens.
            Default: none.
        artifact_bucket: where the pipeline reads and writes. Default: where the definition uses
            one, an encrypted, versioned bucket that is kept when the stack is deleted.
        execution_role: assumed by sagemaker.amazonaws.com to run the steps. What the steps need is
            granted to it either way. Default: a new role.
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
        max_parallel_steps: how many steps of a run may run at once. Default: the service's, 50.
        description: of the pipeline, at most 3,072 characters. Default: none.

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
        schedules: Mapping[str, PipelineSchedule | object] | None = None,
        events: Mapping[str, EventTrigger] | None = None,
        values: Mapping[str, Value] | None = None,
        artifact_bucket: s3.IBucket | None = None,
        execution_role: iam.IRole | None = None,
        scheduler_role: iam.IRole | None = None,
        event_role: iam.IRole | None = None,
        schedule_group: scheduler.IScheduleGroup | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
        encryption_key: kms.IKey | None = None,
        max_parallel_steps: int | None = None,
        description: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._declared_name = self._claim_name(pipeline_name)
        literals, tokens = self._split_values(values or {})
        self.definition = self._compile(definition, literals)

        self.encryption_key = encryption_key
        self.artifact_bucket = artifact_bucket or self._make_artifact_bucket()
        self.execution_role = execution_role or make_execution_role(self, "ExecutionRole")
        assets = CodeAssets.add(self, self.definition.uploads)
        self.pipeline = Pipeline(
            self,
            "Pipeline",
            pipeline_name=self._declared_name,
            definition_body=self.definition.body,
            bindings={**self._bindings(), **assets.bindings, **tokens},
            role=self.execution_role,
            description=description,
            max_parallel_steps=max_parallel_steps,
        )
        assets.keep_from_collection(self.pipeline.cfn_pipeline)
        self._grant_execution(assets)

        self.scheduler_role = scheduler_role
        self.schedule_group = schedule_group
        self._own_group: scheduler.IScheduleGroup | None = None
        self.dead_letter_queue = dead_letter_queue
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

    def add_schedule(self, name: str, schedule: PipelineSchedule | object) -> Schedule:
        """Start the pipeline on one more schedule.

        The schedule group, the scheduler role and the dead-letter queue are made with the first one.

        Args:
            name: 1 to 64 of ``0-9a-zA-Z-_.``, unique in this construct.
            schedule: a ``PipelineSchedule``, this package's or the SageMaker SDK's.

        Raises:
            ValueError: the name is taken or not allowed, or the parameters do not fit the pipeline.
            TypeError: not a schedule.
        """
        path = f"{self.node.path}: schedule {name!r}"
        check_key(name, self.schedules, path)
        try:
            schedule = as_pipeline_schedule(schedule)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{path}: {error}") from None
        check_parameters(dict(schedule.pipeline_parameters), self.definition.parameters, path)
        others = {key: other.schedule for key, other in self.schedules.items()}
        warn_of_past_dates(self, name, schedule)
        warn_of_overlaps(self, name, schedule, others)
        group, role, queue = self._scheduling()
        self.schedules[name] = Schedule(
            self._child("Schedules"),
            name,
            schedule=schedule,
            pipeline=self.pipeline,
            declared_pipeline_name=self._declared_name,
            group=group,
            foreign_group="" if group is self._own_group else group.node.path,
            role=role,
            dead_letter_queue=queue,
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
        path = f"{self.node.path}: event {name!r}"
        check_key(name, self.event_rules, path)
        if not isinstance(trigger, EventTrigger):
            raise TypeError(f"{path}: must be an EventTrigger, got {trigger!r} ({type(trigger).__name__})")
        check_parameters(dict(trigger.pipeline_parameters), self.definition.parameters, path)
        self.node.add_validation(BucketEventsValidation(self, trigger, path))
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

    def _claim_name(self, pipeline_name: str | None) -> str:
        name = names.derived_pipeline_name(self) if pipeline_name is None else pipeline_name
        check_pipeline_name(name, self.node.path)
        names.claim(self, "pipeline", name)
        return name

    def _split_values(self, values: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
        """Return what the build function is given, and what is bound to the placeholders among it."""
        literals: dict[str, Value] = {}
        tokens: dict[str, str] = {}
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool):
                raise TypeError(
                    f"{self.node.path}: values[{name!r}] must be a string, a number or a boolean, "
                    f"got {value!r}"
                )
            if not Token.is_unresolved(value):
                literals[name] = value
            elif isinstance(value, str):
                literals[name] = placeholders.value(name)
                tokens[placeholders.value(name)] = value
            else:
                raise ValueError(
                    f"{self.node.path}: values[{name!r}] is a number that is known at deploy time only; "
                    "pass it as a string: Token.as_string(...)"
                )
        return literals, tokens

    def _compile(
        self, definition: PipelineDefinition | BuildFunction | str, values: Mapping[str, Value]
    ) -> CompiledPipeline:
        try:
            source = PipelineDefinition.of(definition)
            if source.compiled is not None:
                return source.compiled
            compiled = shared_compiler().compile(
                source,
                region=self._region(),
                partition=self._partition(),
                pipeline_name=self._declared_name,
                values=values,
                show_output=str(self.node.try_get_context(_SDK_OUTPUT)).lower() == "true",
            )
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.node.path}: {error}") from None
        self._check_name_used(compiled, source)
        return compiled

    def _check_name_used(self, compiled: CompiledPipeline, source: PipelineDefinition) -> None:
        if compiled.pipeline_name != self._declared_name:
            raise ValueError(
                f"{self.node.path}: {source.function} named its pipeline {compiled.pipeline_name!r}, "
                f"but it is deployed as {self._declared_name!r}; "
                f"write Pipeline(name=context.pipeline_name, ...), "
                f"and choose the name with pipeline_name={compiled.pipeline_name!r}"
            )

    def _region(self) -> str:
        region = Stack.of(self).region
        if Token.is_unresolved(region):
            raise ValueError(
                f"{self.node.path}: the Region of the stack is not known, and the definition depends on it "
                "(image URIs); give the stack an env: Stack(..., env=Environment(region='eu-west-1'))"
            )
        return region

    def _partition(self) -> str:
        return RegionInfo.get(self._region()).partition or "aws"

    def _make_artifact_bucket(self) -> s3.IBucket | None:
        if placeholders.ARTIFACT_BUCKET not in self.definition.body:
            return None
        return make_artifact_bucket(self, "ArtifactBucket", self.encryption_key)

    def _bindings(self) -> dict[str, str]:
        bindings = {placeholders.ACCOUNT: Stack.of(self).account}
        if self.artifact_bucket is not None:
            bindings[placeholders.ARTIFACT_BUCKET] = self.artifact_bucket.bucket_name
        if not Token.is_unresolved(Stack.of(self).region):
            bindings[placeholders.role(self._partition())] = self.execution_role.role_arn
        return bindings

    def _grant_execution(self, assets: CodeAssets) -> None:
        stack = Stack.of(self)
        grant_run(self.execution_role, self.definition, stack)
        assets.grant_read(self.execution_role, stack)
        if self.artifact_bucket is not None:
            grant_artifacts(self.execution_role, self.artifact_bucket)

    def _scheduling(self) -> tuple[scheduler.IScheduleGroup, iam.IRole, sqs.IQueue]:
        """Return what every schedule of this pipeline shares; what was not given is made once."""
        if self.schedule_group is None:
            self._own_group = self.schedule_group = schedule_group(self, "ScheduleGroup")
        queue = self._queue()
        if self.scheduler_role is None:
            self.scheduler_role = make_scheduler_role(self, "SchedulerRole", self.schedule_group)
        if not self.schedules:
            self._grant_scheduling(self.scheduler_role, queue)
        return self.schedule_group, self.scheduler_role, queue

    def _queue(self) -> sqs.IQueue:
        if self.dead_letter_queue is None:
            self.dead_letter_queue = make_dead_letter_queue(self, "DeadLetterQueue", self.encryption_key)
        return self.dead_letter_queue

    def _grant_scheduling(self, role: iam.IRole, queue: sqs.IQueue) -> None:
        self.pipeline.grant_start_pipeline_execution(role)
        grant_dead_letters(role, queue)
        if self.encryption_key is not None:
            self.encryption_key.grant_encrypt_decrypt(role)

    def _child(self, construct_id: str) -> Construct:
        found = self.node.try_find_child(construct_id)
        return found if isinstance(found, Construct) else Construct(self, construct_id)
