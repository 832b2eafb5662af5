"""Who is told when a start or an execution fails?

Internal: users import from ``scheduled_pipeline`` alone.
"""
