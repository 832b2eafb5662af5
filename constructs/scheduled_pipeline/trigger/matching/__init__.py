"""What the events that AWS documents hold, and which events a pattern lets through.

Internal: users import from ``scheduled_pipeline`` alone.
"""
