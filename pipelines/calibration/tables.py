"""Prints a calibration: the dose-response tables, observed beside predicted, and the summary sentence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.gate_calibration import Bin, GateCalibration, calibration_sentence
from pipelines.printing import print_line, print_table

SHOWN = (
    (Decision.PROMOTE, "promoted"),
    (Decision.INSUFFICIENT_EVIDENCE, "insufficient"),
    (Decision.NEEDS_REVIEW, "reviewed"),
    (Decision.REJECT, "rejected"),
    (Decision.INVALID, "invalid"),
)
"""The decisions in the tables' order, with their column heads."""

_LEVEL = 0.95


class Agreement(NamedTuple):
    """One decision's observed count among all mutants, its expected count, and the 95 % range of predicted counts."""

    decision: Decision
    observed: int
    expected: float
    lower: int
    upper: int

    @property
    def holds(self) -> bool:
        """Whether the observed count is in the range."""
        return self.lower <= self.observed <= self.upper


def show_calibration(calibration: GateCalibration) -> None:
    """Prints the tables and the sentence."""
    print_table(
        "Whole gate, by the true drop of the worst category (share of mutants, predicted in brackets)",
        ("true drop", "mutants", *(name for _, name in SHOWN)),
        _rows(calibration.bins),
    )
    print_table(
        "Each category alone, by its true drop",
        ("true drop", "categories", *(name for _, name in SHOWN)),
        _rows(calibration.category_bins),
    )
    print_table(
        "All mutants: observed and predicted decisions",
        ("decision", "observed", "predicted", "95 % range", "agrees"),
        [
            (
                name,
                f"{agreement.observed}",
                f"{agreement.expected:.1f}",
                f"{agreement.lower} to {agreement.upper}",
                "yes" if agreement.holds else "no",
            )
            for agreement, (_, name) in zip(agreements(calibration), SHOWN, strict=True)
        ],
    )
    well_known = [mutant for mutant in calibration.mutants if mutant.truth_answers == calibration.truth_answers]
    errors = [mutant.categories[mutant.worst].error_pp for mutant in well_known or calibration.mutants]
    print_line(
        f"true drops: {calibration.truth_answers} answers per prompt and side unless the drop is far above the limit, "
        f"standard error up to {max(errors):.1f} pp; predictions: {calibration.simulations} simulated gates per "
        f"mutant; {calibration.seconds:.0f} s"
    )
    print_line(calibration_sentence(calibration))


def agreements(calibration: GateCalibration) -> list[Agreement]:
    """Observed and predicted counts of each decision, in the order of `SHOWN`."""
    counts = []
    for decision, _ in SHOWN:
        shares = [mutant.predicted.get(decision, 0.0) for mutant in calibration.mutants]
        cumulative = np.cumsum(count_distribution(shares))
        tail = (1 - _LEVEL) / 2
        counts.append(
            Agreement(
                decision,
                sum(mutant.decision is decision for mutant in calibration.mutants),
                sum(shares),
                int(np.searchsorted(cumulative, tail, side="right")),
                int(np.searchsorted(cumulative, 1 - tail)),
            )
        )
    return counts


def count_distribution(shares: Sequence[float]) -> NDArray[np.float64]:
    """The Poisson binomial distribution, by convolution: shape (events + 1,), probability that 0, 1, ... events happen.

    Args:
        shares: probability of each independent event.
    """
    probabilities: NDArray[np.float64] = np.ones(1)
    for share in shares:
        probabilities = np.convolve(probabilities, [1 - share, share])
    return probabilities


def _rows(bins: Sequence[Bin]) -> list[tuple[str, ...]]:
    return [
        (each.range_in_words, f"{each.observations}", *(_cell(each, decision) for decision, _ in SHOWN))
        for each in bins
    ]


def _cell(drops: Bin, decision: Decision) -> str:
    observed, predicted = drops.decisions[decision], drops.predicted.get(decision, 0.0)
    if not observed and predicted < 0.005 * drops.observations:
        return "-"
    return f"{100 * observed / drops.observations:.0f} % ({100 * predicted / drops.observations:.0f} %)"
