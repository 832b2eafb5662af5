"""Where do a definition and its code live?

Internal: users import from ``scheduled_pipeline`` alone.
"""
