"""Pairs both reports prompt by prompt and bounds the drop of every category."""
