"""Judges: each gives a verdict on one answer, and has a name and a version that enter the contract."""
