"""What is in AWS?"""
