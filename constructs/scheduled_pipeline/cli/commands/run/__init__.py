"""Start a pipeline, and look at its executions."""
