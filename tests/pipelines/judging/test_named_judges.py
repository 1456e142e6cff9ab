"""Judges by the name that a person types."""

import pytest

from components.shared.errors import ConfigError
from components.shared.judges.panel import rule_panel
from pipelines.judging.named_judges import load_judge, rule_judges


def test_every_judge_of_the_panel_has_a_name():
    """Each judge of the panel but that of options is found by its name, with an expectation that it reads."""
    panel = rule_panel()
    named = rule_judges()
    assert {judge.name for judge in panel.verdicts.values()} - {"choice"} <= set(named)
    assert panel.coherence.name in named
    assert "choice" not in named
    for name, (judge, expectation) in named.items():
        assert judge.name == name
        assert expectation not in panel.verdicts or panel.verdicts[expectation].name == name


def test_an_unknown_name_is_an_error_that_lists_the_known():
    """A judge that does not exist is not guessed."""
    with pytest.raises(ConfigError, match=r"no judge 'refusl'; expected one of .*refusal"):
        load_judge("refusl")
    assert load_judge("refusal").judge.name == "refusal"
