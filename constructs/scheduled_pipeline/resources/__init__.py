"""The CDK side: one noun a file.

Internal: users import from ``scheduled_pipeline`` alone.
"""
