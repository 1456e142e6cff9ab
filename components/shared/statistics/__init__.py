"""Pure functions of numbers: paired drops and their bounds, exact tests, and what a suite of a size can show."""
