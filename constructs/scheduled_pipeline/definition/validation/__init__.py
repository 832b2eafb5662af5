"""What would SageMaker refuse?

Internal: users import from ``scheduled_pipeline`` alone.
"""
