"""What is in the account, and what should not be?"""
