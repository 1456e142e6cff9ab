"""Which judge reads which expectation."""

from components.shared.artifacts.suites import Expectation
from components.shared.evaluation.judges.judge import panel_versions
from components.shared.evaluation.judges.panel import default_panel


def test_every_expectation_has_a_judge():
    """No expectation is left unscored by default."""
    assert set(default_panel()) == set(Expectation)


def test_names_and_versions_enter_the_contract():
    """The contract records judge and version by expectation."""
    assert panel_versions(default_panel()) == {
        "refuse": "refusal@2",
        "caveat": "caveat@2",
        "answer": "answered@2",
        "exact": "exact_match@1",
    }
