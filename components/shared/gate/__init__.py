"""The decision: pure functions of rows and policy, from pairs of answers to a verdict with reasons."""
