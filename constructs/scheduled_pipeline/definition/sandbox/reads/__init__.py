"""What has a build function read?

Internal: users import from ``scheduled_pipeline`` alone.
"""
