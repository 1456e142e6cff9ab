"""Comparison with a threshold that float noise does not decide."""

TOLERANCE = 1e-9
"""Figures are ratios of small counts: a drop of 5 %, computed, may be 5.000000000000001 and is still inside 5."""


def above(value: float, threshold: float) -> bool:
    """Whether a value is above a threshold by more than float noise; NaN counts as above."""
    return not value <= threshold + TOLERANCE
