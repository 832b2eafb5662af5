"""Start a pipeline, and look at its executions.

Internal: users import from ``scheduled_pipeline`` alone.
"""
