"""What starts a pipeline: schedules and events. Pure: needs neither the CDK nor the SageMaker SDK.

``schedule`` and ``event`` hold the two values that users make; ``expression``, with ``cron`` and
``cron_field``, reads AWS's dialect; ``occurrences`` knows the next runs; ``overlap`` finds the ones that
meet.

Internal: users import from ``scheduled_pipeline`` alone.
"""
