"""What suites, benchmarks and prompt sets ask."""
