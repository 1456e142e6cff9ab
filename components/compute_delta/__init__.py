"""Compares both safety reports prompt by prompt: the drop of every category, with bounds."""
