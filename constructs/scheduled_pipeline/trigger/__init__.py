"""What starts a pipeline: schedules and events. Pure: needs neither the CDK nor the SageMaker SDK."""
