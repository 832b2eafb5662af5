"""What is checked where a trigger, a role and a definition meet, and only the CDK knows all of them.

Internal: users import from ``scheduled_pipeline`` alone.
"""
