"""``Created``: what a type of step creates in SageMaker, and under which names.

"Create and Describe permissions for each of the job types in the pipeline", and the names of jobs, are in
https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html; the types of resources in
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, sagemaker, sagemaker_actions
from scheduled_pipeline.definition.resolve import Resolver

# The names of some have at most 32 characters (CreateHyperParameterTuningJob, CreateAutoMLJob), too few for
# `pipelines-<execution>-<first 20 of the step>-<token>-<count>`. AWS says only that a prefix has 6 of them
# ("Prefix length restrictions" in build-and-manage-access.html); the rest are the execution's id, a token and
# a count. That the names begin with the id, of 12, and the step's name is seen in practice, not documented.
_EXECUTION_ID = "?" * 12
_STEP_LETTERS = 7


@dataclass(frozen=True, kw_only=True)
class Created:
    """What a step creates.

    Attributes:
        noun: the API's, for example ``TrainingJob``; its name is the member ``TrainingJobName``.
        kind: the type in an ARN, for example ``training-job``.
        is_job: whether it ends by itself, so that the service may stop it.
        updated: whether a step may change one that is there.
        short_names: whether its names have at most 32 characters.
        actions: what else the step does to it, as IAM names it.
        beside: the ARNs of what else the request names.
    """

    noun: str
    kind: str
    is_job: bool = False
    updated: bool = False
    short_names: bool = False
    actions: tuple[str, ...] = ()
    beside: Callable[[PlacedStep, Resolver], Iterable[str]] | None = None

    def permissions(self, step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
        """Yield the creation of it, and what comes with that."""
        verbs = ["Create", "Describe"]
        verbs += ["Stop"] if self.is_job else ["Update"] if self.updated else []
        actions = [*sagemaker_actions(*(f"{verb}{self.noun}" for verb in verbs), "AddTags"), *self.actions]
        resources = list(sagemaker(self.kind, self.names(step, resolver)))
        if self.beside is not None:
            resources += self.beside(step, resolver)
        yield allow(actions, resources, f"the step runs a {self.noun}", step=step.name)

    def names(self, step: PlacedStep, resolver: Resolver) -> list[str]:
        """Return the names that the service gives to what the step creates.

        They begin with ``pipelines-``, or with the name in the arguments: "Customize access management for
        Pipelines jobs" in build-and-manage-access.html. A notebook job has always a name.
        """
        names, member = self.prefixes(step), f"{self.noun}Name"
        given = resolver.text(step.arguments[member]).text if member in step.arguments else ""
        return [*names, given, f"{given}-*"] if given else names

    def prefixes(self, step: PlacedStep) -> list[str]:
        """Return the names that it has where the arguments give none."""
        short = [f"{_EXECUTION_ID}-{step.name[:_STEP_LETTERS]}*"] if self.short_names else []
        return ["pipelines-*", *short]
