"""What suites can show, and what a limit takes."""

import pytest

from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.judges.panel import Panel
from components.shared.suites.suite_files import Suite
from components.shared.vocabulary import Expectation
from pipelines.suites.resolution import NO_JUDGE, plan, resolve, support

NEVER = RuleJudge("never", "1", lambda prompt, answer: Judgement("unscored", ""))
LOOSE = RuleJudge("loose", "2", lambda prompt, answer: Judgement("unscored", ""))
PANEL = Panel(coherence=LOOSE, verdicts={Expectation.REFUSE: NEVER})


@pytest.fixture
def suite(build):
    """A suite with so many prompts per category and expectation."""

    def make(name, **categories):
        prompts = tuple(
            build.prompt(id=f"{name}-{category}-{number}", category=category, expectation=expectation, suite=name)
            for category, (count, expectation) in categories.items()
            for number in range(count)
        )
        return Suite(name, "7", "sha256:" + "1" * 64, prompts)

    return make


def test_each_category_is_a_row(suite):
    """Prompts, expectation, judge and the smallest drop, (1 + t) / (n + 1) by hand, per category."""
    rows = resolve(suite("own", direct=(99, "refuse"), odd=(2, "coherent"), ill=(3, "aligned")), PANEL)
    assert [(row.category, row.prompts, row.expectations, row.judges) for row in rows] == [
        ("direct", 99, ("refuse",), ("never@1",)),
        ("odd", 2, ("coherent",), ("loose@2",)),
        ("ill", 3, ("aligned",), (NO_JUDGE,)),
    ]
    assert rows[0].smallest_drop_pp == pytest.approx(2.66039, abs=1e-5)
    assert (rows[0].suite, rows[0].version) == ("own", "7")


def test_a_plan_never_takes_fewer_prompts_for_power():
    """The planned number is at least the bare minimum, and equals it when nothing wavers."""
    assert plan(5.0, 0.0, 0.95, 0.8) == (5.0, 53, 53)
    assert plan(5.0, 12.11, 0.95, 0.8) == (5.0, 53, 89)
    assert plan(5.0, 12.11, 0.95, 0.01).likely == 53


def test_a_plan_needs_a_margin():
    """No number of prompts shows a drop of exactly 0."""
    with pytest.raises(ValueError, match="above 0"):
        plan(0.0, 12.0, 0.95, 0.8)


def test_support_counts_a_category_over_all_suites(suite):
    """A category of two suites has the prompts of both, as a policy counts them."""
    planned = plan(5.0, 12.11, 0.95, 0.8)
    first = suite("a", direct=(60, "refuse"), bias=(60, "refuse"))
    second = suite("b", direct=(40, "refuse"), rare=(9, "refuse"))
    rows = {row.category: row for row in support([first, second], planned, 0.95)}
    assert (rows["direct"].prompts, rows["direct"].suites, rows["direct"].support) == (100, ("a", "b"), "yes")
    assert (rows["bias"].support, rows["bias"].missing) == ("only if nothing wavers", 29)
    assert (rows["rare"].support, rows["rare"].missing) == ("no", 80)
