"""Many pipelines, over many stacks.

Internal: users import from ``scheduled_pipeline`` alone.
"""
