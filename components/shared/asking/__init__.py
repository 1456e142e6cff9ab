"""Asks prompts through an engine."""
