"""What is deployed in an account, compared with the templates of a cloud assembly.

Internal: users import from ``scheduled_pipeline`` alone.
"""
