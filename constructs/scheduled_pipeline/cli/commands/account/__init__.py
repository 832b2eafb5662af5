"""What is in the account, and what should not be?

Internal: users import from ``scheduled_pipeline`` alone.
"""
