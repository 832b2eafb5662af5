"""What must the execution role be allowed?

Internal: users import from ``scheduled_pipeline`` alone.
"""
