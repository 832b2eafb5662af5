"""The CDK side: one noun a file."""
