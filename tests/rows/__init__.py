"""What makes rows that are not all alike."""
