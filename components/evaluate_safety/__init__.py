"""Asks a model every prompt k times and judges the answers; used twice, before and after."""
