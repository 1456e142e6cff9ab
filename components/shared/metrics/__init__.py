"""Numbers about one side's answers, and their change: pure functions of prompts and judged rows.

`measure` makes all that need no model, `probes` packages those that do, `change` compares two sides, and `catalogue`
has the definition of each. A metric without data is absent, never 0.
"""
