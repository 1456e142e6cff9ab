"""Asks the prompts that look worse again, on both sides, and variants of prompts in flagged categories."""
