"""What must the execution role be allowed?"""
