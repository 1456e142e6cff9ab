"""Applies the policy to the evidence: a decision with a reason per category."""
