"""From a SageMaker SDK function to a ``CompiledPipeline``; knows neither the CDK nor triggers.

Internal: users import from ``scheduled_pipeline`` alone.
"""
