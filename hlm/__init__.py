"""Monte Carlo studies of hierarchical linear models."""
