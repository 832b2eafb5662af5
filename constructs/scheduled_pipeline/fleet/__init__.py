"""Many pipelines, over many stacks."""
