"""What is known of each type of step that a definition can have."""
