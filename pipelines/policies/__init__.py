"""What policies get right and wrong."""
