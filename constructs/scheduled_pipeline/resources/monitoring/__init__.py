"""Who is told when a start or an execution fails?"""
