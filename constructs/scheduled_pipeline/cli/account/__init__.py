"""What is in AWS?

Internal: users import from ``scheduled_pipeline`` alone.
"""
