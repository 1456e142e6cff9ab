"""Suites, benchmarks and prompt sets."""
