"""Compares a value in the evidence with the expected one, and writes down each difference as one sentence."""

import math
from typing import Any

TOLERANCE = 1e-6
"""Recomputed figures may differ by this much: sums of floats depend on their order."""


def compare(where: str, found: Any, expected: Any, differences: list[str]) -> None:
    """Appends a sentence for each place where two JSON values differ.

    Args:
        where: file and field, the beginning of each sentence.
        found: from the evidence. A dict may have more keys than expected; those are not compared.
        expected: recomputed.
        differences: receives the sentences.
    """
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() >= expected.keys():
        for key in expected:
            compare(f"{where}, {key}", found[key], expected[key], differences)
    elif not _equal(found, expected):
        differences.append(f"{where}: found {found!r:.300}, expected {expected!r:.300}")


def _equal(found: Any, expected: Any) -> bool:
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=0, abs_tol=TOLERANCE)
    return bool(found == expected)
