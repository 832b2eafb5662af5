"""What would SageMaker refuse?"""
