"""Where a build function runs: the child process.

Internal: users import from ``scheduled_pipeline`` alone.
"""
