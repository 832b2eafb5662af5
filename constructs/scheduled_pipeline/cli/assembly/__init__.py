"""What is in the cloud assembly?

Internal: users import from ``scheduled_pipeline`` alone.
"""
