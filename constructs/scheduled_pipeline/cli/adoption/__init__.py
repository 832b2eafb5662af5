"""Triggers of an account as Python code."""
