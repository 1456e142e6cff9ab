"""How far two raters agree, from their table of counts: F1, kappa, and bootstrap intervals of both.

A table has shape (classes, classes): row = the class that the first rater (the reference) gave, column = the class
that the second gave. Answers count as independent: with several answers per prompt the intervals are too narrow.
The formulas work on arrays of tables, because the bootstrap computes them for thousands at once: scikit-learn takes
1 to 2 ms for each table, and a test checks that it gives the same figures.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.shared.statistics.rates import UNDEFINED, Estimate

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]

_NO_WIDTH = 1e-9
"""Smaller differences between replicates are float noise."""


def f1_scores(tables: ArrayLike) -> Numbers:
    """F1 of each class, 2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall (van Rijsbergen 1979).

    Args:
        tables: shape (..., classes, classes).

    Returns:
        Shape (..., classes), each in [0, 1]; NaN for a class that neither rater gave.
    """
    counts = np.asarray(tables, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    total = counts.sum(axis=-1) + counts.sum(axis=-2)
    scores: Numbers = np.divide(2 * hits, total, out=np.full(hits.shape, np.nan), where=total > 0)
    return scores


def macro_f1(tables: ArrayLike, classes: Sequence[int]) -> Numbers:
    """The plain mean of the F1 of some classes, those that neither rater gave left out.

    Args:
        tables: shape (..., classes, classes).
        classes: indices of the classes that count, usually those that the reference gave.

    Returns:
        Shape (...), in [0, 1]; NaN where none of the classes was given.
    """
    scores = f1_scores(tables)[..., list(classes)]
    number = (~np.isnan(scores)).sum(axis=-1)
    total = np.nansum(scores, axis=-1)
    mean: Numbers = np.divide(total, number, out=np.full(np.shape(total), np.nan), where=number > 0)
    return mean


def cohen_kappa(tables: ArrayLike) -> Numbers:
    """Cohen's kappa, (p_o - p_e) / (1 - p_e): the agreement beyond chance.

    p_o is the share on the diagonal, p_e the sum over classes of the product of both raters' shares (Cohen,
    Educational and Psychological Measurement 20, 1960).

    Args:
        tables: shape (..., classes, classes).

    Returns:
        Shape (...), in [-1, 1]; NaN where p_e is 1, because both gave one and the same class throughout, or where
        there is no row.
    """
    counts = np.asarray(tables, dtype=np.float64)
    total = counts.sum(axis=(-2, -1))
    agreed = total * np.trace(counts, axis1=-2, axis2=-1)
    chance = (counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1)
    room = total**2 - chance
    kappa: Numbers = np.divide(agreed - chance, room, out=np.full(np.shape(room), np.nan), where=room > 0)
    return kappa


def bayesian_bootstrap(
    table: ArrayLike,
    figure: Callable[[Numbers], Numbers],
    confidence: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> Estimate:
    """A figure of a table with the percentile interval of its Bayesian bootstrap (Rubin, Annals of Statistics 9, 1981).

    Each replicate is a table of shares from a Dirichlet distribution. Its parameters are the counts plus one fictitious
    answer in all, spread evenly over the cells of the classes that the reference gave (Perks' prior, 1947).
    The usual bootstrap never draws a cell whose count is 0, so a rare class without a hit, or a nearly perfect rater,
    gets a far too narrow interval. In simulations (300 tables each of 50, 150 and 450 answers; macro-F1, kappa and the
    rarest class's F1 of four raters) intervals of 95 % held the true value in 14 to 98 % of the tables with the usual
    bootstrap, and in 91 to 99 % with this one, except in one setting (450 answers, a hit of the rare class expected
    once): 73 % instead of 67 %.

    Args:
        table: shape (classes, classes), counts.
        figure: from tables of shape (..., classes, classes) to one number each, the same for tables of shares.
        confidence: of the two-sided interval.
        replicates: number of tables drawn.
        seed: equal seeds, equal intervals.

    Returns:
        `UNDEFINED` where the figure is not defined. The bounds always hold the value. They are None if all replicates
        are equal (kappa with one class of labels): an interval of no width would claim certainty.
    """
    counts = _checked(table)
    value = float(figure(counts.astype(np.float64)))
    if np.isnan(value):
        return UNDEFINED
    in_reference = counts.sum(axis=1) > 0
    weights = counts + in_reference[:, np.newaxis] / (in_reference.sum() * len(counts))
    drawn = np.random.default_rng(seed).standard_gamma(np.broadcast_to(weights, (replicates, *counts.shape)))
    values = figure(drawn)
    values = values[~np.isnan(values)]
    if not len(values) or float(np.ptp(values)) < _NO_WIDTH:
        return Estimate(value, None, None)
    lower, upper = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, min(float(lower), value), max(float(upper), value))


def _checked(table: ArrayLike) -> Counts:
    counts = np.asarray(table, dtype=np.int64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"the table has shape {counts.shape}; expected (classes, classes)")
    if (counts < 0).any():
        raise ValueError("the table holds a negative count")
    return counts
