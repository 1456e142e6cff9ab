"""The search for doses: it ends where the decision changes, and never repeats a dose."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.calibration.doses import Tried, next_dose


def _search(count, respond, least=0.0, cap=30.0):
    tried = []
    for _ in range(count):
        dose = next_dose(tried, cap, least)
        tried.append(Tried(dose, respond(dose)))
    return tried


def test_it_begins_with_all_none_and_half():
    """The first doses show the ends and the middle."""
    assert [trial.dose for trial in _search(3, lambda dose: 0.0)] == [1.0, 0.0, 0.5]
    assert [trial.dose for trial in _search(3, lambda dose: 0.0, least=0.25)] == [1.0, 0.25, 0.625]


@pytest.mark.parametrize("cliff", [0.07, 0.31, 0.68, 0.93])
def test_it_finds_a_cliff(cliff):
    """Of 24 doses on a steep response, most fall where the drop is between nothing and the cap."""
    tried = _search(24, lambda dose: min(95.0, max(0.0, 95 * (dose - cliff + 0.03) / 0.06)))
    between = [trial for trial in tried if 1 < trial.drop_pp < 30]
    assert len(between) >= 12


def test_drops_are_spread_evenly_below_the_cap():
    """On a straight line no gap between neighbouring drops below the cap is more than twice the even one."""
    drops = sorted(min(30.0, trial.drop_pp) for trial in _search(24, lambda dose: 100 * dose))
    gaps = [high - low for low, high in pairwise(drops)]
    assert max(gaps) <= 4.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-20, 100), min_size=30, max_size=30), st.integers(0, 5))
def test_no_dose_is_given_twice(drops, waiting):
    """Whatever the drops are, and however many are still being measured, every dose is new and in range."""
    tried = []
    for place, drop in enumerate(drops):
        dose = next_dose(tried, 30.0, 0.01)
        assert 0.01 <= dose <= 1
        assert dose not in {trial.dose for trial in tried}
        tried.append(Tried(dose, None))
        if place >= waiting:
            tried[place - waiting] = Tried(tried[place - waiting].dose, drop)
