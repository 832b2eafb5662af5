"""What does the cloud assembly say?"""
