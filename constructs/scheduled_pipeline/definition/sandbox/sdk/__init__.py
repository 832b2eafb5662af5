"""What the SDK needs done to it, by the part of it that is patched.

Internal: users import from ``scheduled_pipeline`` alone.
"""
