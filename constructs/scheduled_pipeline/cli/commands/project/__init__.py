"""Is the project as it should be?"""
