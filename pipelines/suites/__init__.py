"""`plimsoll suites`: which drops suites can detect, and how they are sealed."""
