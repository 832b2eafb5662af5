"""What an operator asks: one subcommand a file, and none imports another."""
