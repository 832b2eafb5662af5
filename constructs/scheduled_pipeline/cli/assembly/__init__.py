"""What is in the cloud assembly?"""
