"""A second implementation of the decision, which shares nothing with the gate but digests and statistical formulas."""
