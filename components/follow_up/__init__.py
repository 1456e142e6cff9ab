"""Asks the prompts that look worse again, on both sides."""
