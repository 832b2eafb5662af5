"""What is known of each type of step that a definition can have.

Internal: users import from ``scheduled_pipeline`` alone.
"""
