"""What keeps a build function from reaching anything but its project: see docs/decisions/0019-no-way-out.md.

``ways_out`` refuses, in Python, with the user's line and what to do instead. ``kernel`` has the kernel refuse
what does not go through Python.

Internal: users import from ``scheduled_pipeline`` alone.
"""
