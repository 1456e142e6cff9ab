"""Agreement of two raters, from their table of counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.shared.statistics.agreement import bayesian_bootstrap, cohen_kappa, f1_scores, macro_f1
from components.shared.statistics.rates import UNDEFINED

BY_HAND = [[20, 5], [10, 15]]
TABLES = arrays(np.int64, (4, 4), elements=st.integers(0, 40))


def test_golden_figures():
    """F1 is 40/55 and 30/45, macro-F1 their mean, and kappa (0.7 - 0.5) / (1 - 0.5)."""
    assert f1_scores(BY_HAND) == pytest.approx([40 / 55, 30 / 45])
    assert float(macro_f1(BY_HAND, [0, 1])) == pytest.approx((40 / 55 + 30 / 45) / 2)
    assert float(cohen_kappa(BY_HAND)) == pytest.approx(0.4)


def test_a_class_that_nobody_gave_has_no_f1():
    """Such a class is left out of the mean, and one that only the reference gave counts as 0."""
    table = [[5, 0, 0], [2, 0, 0], [0, 0, 0]]
    scores = f1_scores(table)
    assert scores[:2] == pytest.approx([10 / 12, 0.0])
    assert np.isnan(scores[2])
    assert float(macro_f1(table, [0, 1, 2])) == pytest.approx(10 / 24)
    assert np.isnan(macro_f1(table, [2]))


def test_kappa_is_undefined_where_chance_explains_all():
    """One class throughout, or no row at all, gives no kappa."""
    assert np.isnan(cohen_kappa([[7, 0], [0, 0]]))
    assert np.isnan(cohen_kappa([[0, 0], [0, 0]]))


@given(TABLES)
def test_kappa_stays_in_bounds(table):
    """Kappa is at most 1, reached exactly when nothing disagrees, and at least -1."""
    kappa = float(cohen_kappa(table))
    if not np.isnan(kappa):
        assert -1 <= kappa <= 1
        assert (kappa == 1) == (table.sum() == table.trace())


@given(TABLES, st.permutations(range(4)))
def test_the_order_of_classes_makes_no_difference(table, order):
    """Kappa and macro-F1 do not change when the classes are written in another order."""
    other = table[np.ix_(order, order)]
    assert float(cohen_kappa(other)) == pytest.approx(float(cohen_kappa(table)), nan_ok=True)
    assert float(macro_f1(other, range(4))) == pytest.approx(float(macro_f1(table, range(4))), nan_ok=True)


@given(arrays(np.int64, (3, 3), elements=st.integers(1, 20)))
def test_scikit_learn_says_the_same(table):
    """F1 and kappa are those of scikit-learn, where that is installed."""
    metrics = pytest.importorskip("sklearn.metrics")
    first = np.repeat(np.repeat(np.arange(3), 3), table.ravel())
    second = np.repeat(np.tile(np.arange(3), 3), table.ravel())
    assert f1_scores(table) == pytest.approx(metrics.f1_score(first, second, average=None))
    assert float(cohen_kappa(table)) == pytest.approx(metrics.cohen_kappa_score(first, second))


def test_the_interval_has_the_width_of_theory():
    """Kappa's interval is as wide as the large-sample standard error sqrt(p_o (1 - p_o) / n) / (1 - p_e) says."""
    value, lower, upper = bayesian_bootstrap(BY_HAND, cohen_kappa)
    assert value == pytest.approx(0.4)
    assert (upper - lower) / (2 * 1.96) == pytest.approx(np.sqrt(0.7 * 0.3 / 50) / 0.5, rel=0.1)
    assert lower < value < upper


def test_equal_seeds_give_equal_intervals():
    """The interval repeats itself, and another seed changes it slightly."""
    assert bayesian_bootstrap(BY_HAND, cohen_kappa, seed=3) == bayesian_bootstrap(BY_HAND, cohen_kappa, seed=3)
    assert bayesian_bootstrap(BY_HAND, cohen_kappa, seed=3) != bayesian_bootstrap(BY_HAND, cohen_kappa, seed=4)


def test_no_disagreement_is_no_certainty():
    """Perfect agreement on 15 rows leaves room below 1, and no hit of 9 leaves room above 0."""
    value, lower, upper = bayesian_bootstrap([[6, 0], [0, 9]], lambda tables: macro_f1(tables, [0, 1]))
    assert (value, upper) == (1.0, 1.0)
    assert 0.6 < lower < 0.95
    value, lower, upper = bayesian_bootstrap([[200, 0], [9, 0]], lambda tables: f1_scores(tables)[..., 1])
    assert (value, lower) == (0.0, pytest.approx(0.0, abs=1e-9))
    assert 0.1 < upper < 0.5


def test_the_interval_holds_the_truth_where_a_class_is_rare():
    """Of 200 tables of 50 rows by a rater who errs once in a hundred, 88 % or more have the true kappa inside."""
    shares = np.array([[60, 0.5], [0.5, 39]]) / 100
    truth = float(cohen_kappa(shares))
    tables = np.random.default_rng(0).multinomial(50, shares.ravel(), size=200).reshape(200, 2, 2)
    found = [bayesian_bootstrap(table, cohen_kappa, replicates=500) for table in tables]
    assert sum(lower <= truth <= upper for _, lower, upper in found) >= 176


@given(TABLES)
def test_bounds_hold_the_value(table):
    """Where there are bounds, they surround the figure and stay in its range."""
    value, lower, upper = bayesian_bootstrap(table, cohen_kappa, replicates=50)
    if lower is not None:
        assert -1 - 1e-9 <= lower <= value <= upper <= 1


def test_a_figure_that_the_table_fixes_has_no_bounds():
    """With one class of labels kappa is 0 whatever the second rater says, so that there is nothing to bound."""
    value, lower, upper = bayesian_bootstrap([[5, 2], [0, 0]], cohen_kappa)
    assert (value, lower, upper) == (0.0, None, None)


def test_an_undefined_figure_stays_undefined():
    """The interval of a figure that is not defined is `UNDEFINED`, not 0."""
    assert bayesian_bootstrap([[7, 0], [0, 0]], cohen_kappa) == UNDEFINED


@pytest.mark.parametrize("table", [[[1, 2, 3], [1, 2, 3]], [[1, -1], [0, 2]], [1, 2]])
def test_what_is_no_table_is_refused(table):
    """A table is square and holds counts."""
    with pytest.raises(ValueError, match="table"):
        bayesian_bootstrap(table, cohen_kappa)
