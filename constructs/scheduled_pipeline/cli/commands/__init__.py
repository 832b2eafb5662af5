"""What an operator asks: one subcommand a file, and none imports another.

Internal: users import from ``scheduled_pipeline`` alone.
"""
