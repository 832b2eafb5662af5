"""What does the cloud assembly say?

Internal: users import from ``scheduled_pipeline`` alone.
"""
