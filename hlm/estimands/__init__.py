"""What is estimated, and its true value in a scenario."""
