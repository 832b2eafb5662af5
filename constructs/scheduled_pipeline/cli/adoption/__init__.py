"""Triggers of an account as Python code.

Internal: users import from ``scheduled_pipeline`` alone.
"""
