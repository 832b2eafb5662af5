"""Is the project as it should be?

Internal: users import from ``scheduled_pipeline`` alone.
"""
