"""Metrics of one side's judged answers, and their change between two sides. A metric without data is absent, never 0.

`measure` computes those that need no model, `probes` averages those that do, `change` compares two sides, and
`catalogue` lists all definitions.
"""
