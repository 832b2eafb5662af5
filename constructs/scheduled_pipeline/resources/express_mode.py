"""What ``cdk deploy --express`` leaves out: it runs no custom resources."""

from __future__ import annotations

from aws_cdk import Annotations
from constructs import Construct

EXPRESS_MODE = "scheduled-pipeline:express-mode"
"""Id of the information about a custom resource, which Express mode does not run."""


def tell_of_express_mode(scope: Construct, without: str) -> None:
    """Say at synth what Express mode would leave out; synth does not know how a stack is deployed.

    https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-deploy.html

    Args:
        scope: has the custom resource.
        without: what happens where it does not run; a whole sentence without its end.
    """
    Annotations.of(scope).add_info_v2(
        EXPRESS_MODE,
        f"cdk deploy --express runs no custom resources: {without}; deploy this stack without --express",
    )
