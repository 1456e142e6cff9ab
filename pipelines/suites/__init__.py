"""What suites can show."""
