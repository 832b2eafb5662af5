"""From a SageMaker SDK function to a ``CompiledPipeline``; knows neither the CDK nor triggers."""
