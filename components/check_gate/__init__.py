"""Turns policy and evidence into a decision with a reason per category."""
