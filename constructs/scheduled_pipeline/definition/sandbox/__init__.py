"""Where a build function runs: the child process.

This package may run under another Python than the app, one in which there is neither the CDK nor anything
else that the app needs. It imports the standard library, the SageMaker SDK with what that brings (boto3,
botocore, cloudpickle, dateutil), itself, and these modules, which import the standard library and each other:

- ``scheduled_pipeline.definition.answers``
- ``scheduled_pipeline.definition.context``
- ``scheduled_pipeline.definition.document``
- ``scheduled_pipeline.definition.files``
- ``scheduled_pipeline.definition.findings``
- ``scheduled_pipeline.definition.installed``
- ``scheduled_pipeline.definition.model``
- ``scheduled_pipeline.definition.placeholders``
- ``scheduled_pipeline.definition.project``
- ``scheduled_pipeline.definition.typed_json``

``protocol`` says what the app's process and the child send to each other; the child begins in ``main``.

Internal: users import from ``scheduled_pipeline`` alone.
"""
