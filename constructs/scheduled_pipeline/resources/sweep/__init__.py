"""What removes the triggers that no stack owns when a pipeline is deleted?

Internal: users import from ``scheduled_pipeline`` alone.
"""
