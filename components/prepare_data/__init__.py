"""Reads, validates, hashes, splits and mixes the training rows; gathers the suites' prompts."""
