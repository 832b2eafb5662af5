"""Where a build function runs: the child process."""
