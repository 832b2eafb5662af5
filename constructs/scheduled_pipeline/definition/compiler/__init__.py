"""How does this process get a definition: from the cache, else from a child.

Internal: users import from ``scheduled_pipeline`` alone.
"""
