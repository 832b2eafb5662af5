"""``PipelineFleet``: hundreds of pipelines, split over stacks so that one coming or going moves no other."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aws_cdk import Environment
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.arguments import check_arguments
from scheduled_pipeline.compilation import compile_ahead, split_values
from scheduled_pipeline.construct import ScheduledPipeline
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.fleet.alarms import FleetAlarms
from scheduled_pipeline.fleet.assignment import stack_id
from scheduled_pipeline.fleet.limits import FleetLoadValidation
from scheduled_pipeline.fleet.pipeline import FleetPipeline
from scheduled_pipeline.fleet.shared_stack import SharedStack
from scheduled_pipeline.fleet.stack import FleetStack, SharedResources
from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.assets.code_assets import code_folder
from scheduled_pipeline.resources.dead_letter_queue import RuleSenders
from scheduled_pipeline.resources.jsii_cache import path_of
from scheduled_pipeline.resources.monitoring.alert_topic import allow_alerts

DEFAULT_STACKS = 64
# CloudFormation's quota of stacks in an account and Region.
_MAX_STACKS = 2000
_SHARED = "Shared"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# Ids that a stack of the fleet, or the CDK in any stack, has for something else; "Default" vanishes in paths.
_RESERVED = {
    "BootstrapVersion",
    "CDKMetadata",
    "CheckBootstrapVersion",
    "Default",
    "Exports",
    "Monitoring",
    "ScheduleGroup",
    "ScheduledPipelineDefinitions",
    "SchedulerPolicy",
    "SchedulerRole",
}
_ALLOWED = "1 to 64 letters, digits and hyphens, a letter first,"


@dataclass(frozen=True)
class _Placed:
    """A pipeline of the fleet, the stack it goes into, and its settings with its physical name."""

    name: str
    stack: FleetStack
    settings: FleetPipeline


class PipelineFleet(Construct):
    """Many scheduled pipelines in as many stacks as CloudFormation's limits ask for.

    The stack of a pipeline follows from its name and ``stacks`` alone. One that is added or removed changes
    its own stack and no other. ``docs/fleets.md`` has the figures and what to do when a stack is full.

    Args:
        scope: the app or a stage.
        construct_id: its id there; the names of the stacks begin with it.
        pipelines: the pipelines by name: 1 to 64 letters, digits and hyphens, a letter first. The name
            is the identity.
        stacks: over how many stacks the names are spread, 1 to 2,000; one without a pipeline is not made. A
            number for the fleet that you will have: another number moves pipelines. Default: 64, for up to
            1,000 pipelines with a few schedules.
        env: account and Region of the stacks. Default: those of the stage.
        artifact_bucket: where the pipelines read and write. Default: an encrypted, versioned bucket in the
            shared stack, kept when that is deleted.
        dead_letter_queue: a standard queue for starts that could not be delivered. Default: an
            encrypted queue in the shared stack.
        encryption_key: encrypts the schedules, and the queue and bucket that are made. Default: keys
            that AWS owns.
        notify: a topic for the alarms, such as an ``AlertTopic``. Default: nobody is told. For executions
            that fail, ``FleetPipeline`` has one of its own, as each takes one of the account's rules.
        alarms: whether starts that fail or are lost set off alarms, one set a stack. Default: they do.

    Attributes:
        pipelines: the pipelines by name, each a ``ScheduledPipeline``.
        stacks: the stacks that have pipelines, by id.
        shared: the stack of what they share; None when bucket and queue were given.

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
        pipelines: Mapping[str, FleetPipeline],
        stacks: int = DEFAULT_STACKS,
        env: Environment | None = None,
        artifact_bucket: s3.IBucket | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
        encryption_key: kms.IKey | None = None,
        notify: sns.ITopic | None = None,
        alarms: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        self._env = env
        self._prefix = "-".join(path_of(self).split("/"))
        check_arguments(path_of(self), PipelineFleet, locals())
        _check_pipelines(path_of(self), pipelines)
        _check_stacks(path_of(self), stacks)
        self.shared: SharedStack | None = None
        if notify is not None and alarms:
            allow_alerts(notify, notify)
        self._alarms = FleetAlarms(enabled=alarms, notify=notify)
        self._shared = self._share(artifact_bucket, dead_letter_queue, encryption_key)
        self.stacks: dict[str, FleetStack] = {}
        self.pipelines: dict[str, ScheduledPipeline] = {}
        members = self._place(pipelines, stacks)
        _begin_to_compile(members)
        for member in members:
            self.pipelines[member.name] = member.stack.add(member.name, member.settings)
        self.node.add_validation(FleetLoadValidation(self.stacks))

    def _share(
        self, bucket: s3.IBucket | None, queue: sqs.IQueue | None, key: kms.IKey | None
    ) -> SharedResources:
        if bucket is None or queue is None:
            self.shared = SharedStack(
                self,
                _SHARED,
                stack_name=self._stack_name(_SHARED),
                env=self._env,
                artifact_bucket=bucket,
                dead_letter_queue=queue,
                encryption_key=key,
                alarms=self._alarms,
            )
            names.claim(self.shared, "stack", self.shared.stack_name)
            bucket, queue = self.shared.artifact_bucket, self.shared.dead_letter_queue
        RuleSenders.of(queue).add_all(queue)
        return SharedResources(
            artifact_bucket=bucket,
            dead_letter_queue=queue,
            encryption_key=key,
            alarms=self._alarms,
            code_folder=code_folder(names.joined_pipeline_name(path_of(self))),
        )

    def _place(self, pipelines: Mapping[str, FleetPipeline], stacks: int) -> list[_Placed]:
        """Return each pipeline with its stack and physical name.

        They are in the order of their names, so that it does not matter in which order they are given.
        """
        placed = []
        for name in sorted(pipelines):
            settings = pipelines[name]
            where = settings.stack or stack_id(name, stacks)
            if settings.pipeline_name is None and _own_name(settings) is None:
                physical = names.joined_pipeline_name(f"{path_of(self)}/{where}/{name}")
                settings = replace(settings, pipeline_name=physical)
            placed.append(_Placed(name, self._stack(where), settings))
        return placed

    def _stack(self, where: str) -> FleetStack:
        if where not in self.stacks:
            name = self._stack_name(where)
            self.stacks[where] = FleetStack(self, where, stack_name=name, env=self._env, shared=self._shared)
            names.claim(self.stacks[where], "stack", name)
        return self.stacks[where]

    def _stack_name(self, where: str) -> str:
        name = f"{self._prefix}-{where}"
        if not _STACK_NAME.fullmatch(name):
            raise ValueError(
                f"{path_of(self)}: the name of a stack must be 1 to 128 letters, digits and hyphens, a "
                f"letter first, got {name!r}; it is made from the ids of the stage, the fleet and the stack"
            )
        return name


def _own_name(settings: FleetPipeline) -> str | None:
    """Return the name that the definition has of itself."""
    return settings.definition.own_name if isinstance(settings.definition, PipelineDefinition) else None


def _begin_to_compile(members: Sequence[_Placed]) -> None:
    """Have all definitions compiled while the constructs are made.

    What is wrong with one is said when its construct is made, with the construct's path.
    """
    wanted = []
    for member in members:
        with contextlib.suppress(AttributeError, TypeError, ValueError):
            source = PipelineDefinition.of(member.settings.definition)
            values, _ = split_values(member.stack, member.settings.values or {})
            if source.function is not None and member.settings.pipeline_name is not None:
                wanted.append((source, member.settings.pipeline_name, values))
    if wanted:
        compile_ahead(members[0].stack, wanted)


def _check_pipelines(path: str, pipelines: Mapping[str, FleetPipeline]) -> None:
    for name, settings in pipelines.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{path}: pipelines must have {_ALLOWED} as names, got {name!r}")
        if name in _RESERVED:
            raise ValueError(f"{path}: pipelines must not be named {name!r}, which each stack has already")
        if not isinstance(settings, FleetPipeline):
            raise TypeError(f"{path}: pipelines[{name!r}] must be a FleetPipeline, got {settings!r:.200}")
        check_arguments(f"{path}: pipelines[{name!r}]", FleetPipeline, vars(settings))
        where = settings.stack
        if where is not None and (not _NAME.fullmatch(where) or where == _SHARED):
            raise ValueError(
                f"{path}: pipelines[{name!r}]: stack must be {_ALLOWED}, other than {_SHARED!r}, "
                f"got {where!r}"
            )


def _check_stacks(path: str, stacks: int) -> None:
    if not 1 <= stacks <= _MAX_STACKS:
        raise ValueError(f"{path}: stacks must be 1 to {_MAX_STACKS:,}, got {stacks}")
