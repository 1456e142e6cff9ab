"""Leaves the same evidence on the run, and no version."""
