"""The stages this app is deployed to; all that differs between them is here."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Environment, RemovalPolicy


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """One stage.

    Attributes:
        name: the stage's id, the first part of every stack's name.
        region: the AWS Region.
        account: the 12-digit account id, or None for that of the credentials at deploy time.
        schedules_enabled: whether schedules start anything.
        data_retention_days: how long replaced versions of data and models are kept.
        removal_policy: what happens to the data when the stacks are destroyed.
    """

    name: str
    region: str
    account: str | None
    schedules_enabled: bool
    data_retention_days: int
    removal_policy: RemovalPolicy

    @property
    def env(self) -> Environment:
        """The environment of the stage's stacks."""
        return Environment(account=self.account, region=self.region)


DEV = StageSettings(
    name="Dev",
    region="us-east-1",
    account=None,
    schedules_enabled=True,
    data_retention_days=7,
    removal_policy=RemovalPolicy.DESTROY,
)
PROD = StageSettings(
    name="Prod",
    region="us-east-1",
    account=None,
    schedules_enabled=True,
    data_retention_days=90,
    removal_policy=RemovalPolicy.RETAIN,
)
STAGES = (DEV, PROD)
