"""Compares a number with a threshold, up to float noise."""

TOLERANCE = 1e-9
"""A drop of exactly 5 % may be computed as 5.000000000000001; it is still inside a limit of 5."""


def above(value: float, threshold: float) -> bool:
    """Whether a value is above a threshold by more than float noise; NaN counts as above."""
    return not value <= threshold + TOLERANCE
