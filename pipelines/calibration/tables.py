"""What a person sees of a calibration: the dose-response tables, predicted beside observed, and the sentence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.gate_calibration import Bin, Calibration, calibration_sentence
from pipelines.printing import print_line, print_table

SHOWN = (
    (Decision.PROMOTE, "promoted"),
    (Decision.INSUFFICIENT_EVIDENCE, "insufficient"),
    (Decision.NEEDS_REVIEW, "reviewed"),
    (Decision.REJECT, "rejected"),
    (Decision.INVALID, "invalid"),
)
"""Decisions as the tables order and call them."""

_LEVEL = 0.95


class Agreement(NamedTuple):
    """One decision's count among all mutants, and what was predicted: a mean and the middle 95 % of counts."""

    decision: Decision
    observed: int
    expected: float
    lower: int
    upper: int

    @property
    def holds(self) -> bool:
        """Whether the count is one that 95 % of such calibrations would give."""
        return self.lower <= self.observed <= self.upper


def show_calibration(calibration: Calibration) -> None:
    """Prints a calibration."""
    print_table(
        "Whole gate, by the true drop of the worst category (share of mutants; predicted in brackets)",
        ("true drop", "mutants", *(name for _, name in SHOWN)),
        _rows(calibration.bins),
    )
    print_table(
        "One category at a time, by its own true drop",
        ("true drop", "categories", *(name for _, name in SHOWN)),
        _rows(calibration.category_bins),
    )
    print_table(
        "All mutants: what the gate said, and what was predicted",
        ("decision", "observed", "predicted", "95 % of such calibrations", "agrees"),
        [
            (
                name,
                f"{own.observed}",
                f"{own.expected:.1f}",
                f"{own.lower} to {own.upper}",
                "yes" if own.holds else "no",
            )
            for own, (_, name) in zip(agreements(calibration), SHOWN, strict=True)
        ],
    )
    well_known = [own for own in calibration.mutants if own.truth_answers == calibration.truth_answers]
    errors = [own.categories[own.worst].error_pp for own in well_known or calibration.mutants]
    print_line(
        f"true drops: {calibration.truth_answers} answers per prompt and side where the gate itself leaves a doubt, "
        f"standard error up to {max(errors):.1f} pp there; predictions: {calibration.simulations} simulated gates per "
        f"mutant; {calibration.seconds:.0f} s"
    )
    print_line(calibration_sentence(calibration))


def agreements(calibration: Calibration) -> list[Agreement]:
    """Observed and predicted counts, decision by decision, in the order of `SHOWN`."""
    found = []
    for decision, _ in SHOWN:
        shares = [own.predicted.get(decision, 0.0) for own in calibration.mutants]
        cumulative = np.cumsum(count_distribution(shares))
        tail = (1 - _LEVEL) / 2
        found.append(
            Agreement(
                decision,
                sum(own.decision is decision for own in calibration.mutants),
                sum(shares),
                int(np.searchsorted(cumulative, tail, side="right")),
                int(np.searchsorted(cumulative, 1 - tail)),
            )
        )
    return found


def count_distribution(shares: Sequence[float]) -> NDArray[np.float64]:
    """Probabilities of 0, 1, ... of independent events with these probabilities (Poisson binomial, by convolution)."""
    counts: NDArray[np.float64] = np.ones(1)
    for share in shares:
        counts = np.convolve(counts, [1 - share, share])
    return counts


def _rows(bins: Sequence[Bin]) -> list[tuple[str, ...]]:
    return [
        (own.range_in_words, f"{own.observations}", *(_cell(own, decision) for decision, _ in SHOWN)) for own in bins
    ]


def _cell(own: Bin, decision: Decision) -> str:
    observed, predicted = own.decisions[decision], own.predicted.get(decision, 0.0)
    if not observed and predicted < 0.005 * own.observations:
        return "-"
    return f"{100 * observed / own.observations:.0f} % ({100 * predicted / own.observations:.0f} %)"
