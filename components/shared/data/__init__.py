"""Training rows: formats, reading, and overlap with the suites."""
