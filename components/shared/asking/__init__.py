"""Chunks of prompts to answers, through an engine."""
