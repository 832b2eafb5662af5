"""What removes the triggers that no stack owns when a pipeline is deleted?"""
