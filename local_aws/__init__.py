"""An AWS on your own machine for the demo and the tests: MiniStack, and what it lacks for pipelines.

It keeps resources and records what is started; it runs no jobs. IAM is checked on the path from a trigger to
its pipeline and its dead-letter queue, and nowhere else.

What is in ``emulator`` runs in the server's process. What is beside it runs in the process of a test or of
the demo and talks to the server.
"""

from local_aws.inventory import Inventory
from local_aws.protocol import Delivery
from local_aws.server import LocalAws, LocalAwsError

__all__ = ["Delivery", "Inventory", "LocalAws", "LocalAwsError"]
