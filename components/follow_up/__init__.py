"""Asks the prompts that look worse again, on both sides, and flagged categories in other ways."""
