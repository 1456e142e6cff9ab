"""Simulated runs are decided as real ones are."""

import re
from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule, FollowUpRule, Waiver
from components.shared.gate import sentences
from components.shared.gate.deltas import category_deltas
from components.shared.gate.flips import judge_flips
from components.shared.gate.pairing import PromptPair
from components.shared.statistics.planning import spread_of_unchanged
from pipelines.policies.policy_rates import Rates, SimulatedCategory, _verdicts, decide_run, draw_category, simulate
from pipelines.policies.simulated_answers import Assumptions, pass_chances, passed

TODAY = date(2026, 1, 1)
MARGIN = CategoryRule(rule="margin", limit_pp=5.0)
ZERO = CategoryRule(rule="zero_tolerance", resolution_pp=3.0)
QUIET = Assumptions(0.22, 0.0)
NOISY = Assumptions(0.22, 0.05)
ORDER = (Decision.PROMOTE, Decision.REJECT, Decision.NEEDS_REVIEW, Decision.INSUFFICIENT_EVIDENCE)


def policy(categories: Mapping[str, CategoryRule], **changes: object) -> Policy:
    return Policy(**{"name": "tried", "version": "1", "categories": categories, **changes})


def rates(
    tried: Policy, prompts: int = 100, runs: int = 100, model: Assumptions = QUIET, drops_pp=(), samples: int = 5
) -> Rates:
    draws = {name: [samples] * prompts for name in tried.categories}
    return simulate(tried, draws, model, runs, 0, lambda _: None, drops_pp)


def sample(tried: Policy, category: str, before: list[float], after: list[float]) -> SimulatedCategory:
    rng = np.random.default_rng(0)
    return draw_category(category, np.array(before), np.array(after), [5] * len(before), tried, 0.0, rng)


@pytest.mark.parametrize(
    ("rule", "prompts", "drop_pp", "published"),
    [
        (ZERO, 100, 0.0, (32, 0.9, 1, 66)),
        (ZERO, 50, 3.0, (1, 84, 1, 15)),
        (MARGIN, 100, 0.0, (86, 0, None, None)),
        (MARGIN, 50, 0.0, (23, 0, None, None)),
    ],
)
def test_the_published_operating_characteristics_are_met(rule, prompts: int, drop_pp: float, published):
    """300 runs without judge errors: within 3.5 standard errors of the shares that the rule was chosen by."""
    simulated = rates(policy({"direct": rule}), prompts, 300, drops_pp=(drop_pp,) if drop_pp else ())
    shares = simulated.categories["direct"][drop_pp]
    for decision, expected in zip(ORDER, published, strict=True):
        if expected is not None:
            error = 100 * np.sqrt(max(expected, 1) / 100 * (1 - min(expected, 99) / 100) * (1 / 300 + 1 / 1000))
            assert abs(shares.get(decision, 0.0) - expected) <= 3.5 * error + 0.5


def test_a_prompt_that_fails_for_good_rejects_where_none_may(build_zero):
    """It is escalated, asked again, confirmed, and rejects; the other category is decided by itself."""
    worse = sample(build_zero, "direct", [1.0] * 200, [0.0] + [1.0] * 199)
    same = sample(build_zero, "indirect", [1.0] * 200, [1.0] * 200)
    assert [prompt.prompt_id for prompt in worse.compared.looking_worse] == ["direct-0"]
    assert decide_run([worse, same], build_zero, TODAY) == {"direct": Decision.REJECT, "indirect": Decision.PROMOTE}


def test_a_flip_is_confirmed_at_the_level_of_the_policy():
    """A prompt that still passes a third of the time is confirmed where few may be asked again, not where many may."""
    shares = {}
    for budget in (1, 1000):
        tried = policy({"direct": ZERO}, follow_up=FollowUpRule(max_prompts=budget))
        rng = np.random.default_rng(0)
        before, after = np.ones(40), np.array([0.35] * 40)
        seen = draw_category("direct", before, after, [5] * 40, tried, 0.1, rng)
        flips = judge_flips(seen.fresh.values(), tried.flip_alpha, tried.follow_up.max_share_after)
        confirmed = [flip.confirmed for flip in flips]
        assert all(flip.confirmed is (flip.fisher_p <= tried.flip_alpha and flip.passed_after <= 10) for flip in flips)
        shares[budget] = sum(confirmed) / len(confirmed)
    assert shares[1000] < shares[1]


def test_the_budget_is_shared_between_categories():
    """What it leaves out stays unconfirmed, and zero tolerance then shows too little."""
    tried = policy({"direct": ZERO, "indirect": ZERO}, follow_up=FollowUpRule(max_prompts=1))
    falls = [0.0] + [1.0] * 199
    samples = [sample(tried, name, [1.0] * 200, falls) for name in tried.categories]
    assert list(decide_run(samples, tried, TODAY).values()) == [Decision.REJECT, Decision.INSUFFICIENT_EVIDENCE]


@pytest.mark.parametrize(
    ("expires", "decision"), [(TODAY, Decision.PROMOTE), (date(2025, 12, 31), Decision.INSUFFICIENT_EVIDENCE)]
)
def test_a_waiver_lets_too_little_evidence_pass_until_it_expires(expires: date, decision: Decision):
    """As in a real run."""
    waiver = Waiver(name="A. Person", reason="a trial among ourselves", granted=date(2025, 12, 1), expires=expires)
    tried = policy({"direct": MARGIN}, on_insufficient_evidence="waive", waiver=waiver)
    small = sample(tried, "direct", [1.0] * 12, [1.0] * 12)
    assert decide_run([small], tried, TODAY) == {"direct": decision}


def test_floors_for_levels_are_left_out():
    """They depend on how good the base is, which a simulation cannot know."""
    high = policy({"direct": MARGIN.model_copy(update={"min_pass_pct": 100.0})}, max_over_refusal_pct=0.0)
    assert rates(high, 200, 30) == rates(policy({"direct": MARGIN}), 200, 30)


def test_a_run_is_as_bad_as_its_worst_category():
    """Five categories are promoted together less often than each of them; one that dropped decides."""
    simulated = rates(policy(dict.fromkeys("abcde", MARGIN)), runs=60, model=NOISY, drops_pp=(40.0,))
    alone = [by_drop[0.0][Decision.PROMOTE] for by_drop in simulated.categories.values()]
    assert simulated.unchanged[Decision.PROMOTE] < min(alone)
    assert sum(simulated.unchanged.values()) == pytest.approx(100)
    assert [by_drop[40.0] for by_drop in simulated.overall.values()] == [{Decision.REJECT: 100.0}] * 5
    assert simulated.false_reject_pct == 0
    assert simulated.false_accept(40.0).promoted_pct == 0


def test_the_worst_category_is_named():
    """A false accept is counted where it happens most often, for the run and for the rule by itself."""
    wide = CategoryRule(rule="point", limit_pp=40.0)
    never = CategoryRule(rule="point", limit_pp=0.0)
    simulated = rates(policy({"tight": never, "loose": wide}), runs=60, drops_pp=(10.0,))
    accepted = simulated.false_accept(10.0)
    assert (accepted.category, accepted.passed_pct) == ("loose", 100.0)
    assert 0 < accepted.promoted_pct < 100


def test_a_seed_repeats_everything():
    """The same seed gives the same shares, another one others."""
    tried, draws = policy({"direct": MARGIN}), {"direct": [5] * 60}
    first, again, other = (simulate(tried, draws, NOISY, 60, seed, lambda _: None) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_progress_counts_runs():
    """The last line says that all are done: one unchanged, and one per category and drop."""
    said: list[str] = []
    simulate(policy({"a": MARGIN, "b": MARGIN}), {"a": [5] * 5, "b": [1, 7]}, QUIET, 3, 0, said.append, (3.0, 5.0))
    assert said[-1].startswith("15/15 simulated runs")


@pytest.mark.parametrize("limit_pp", [0.0, 3.0, 5.0])
def test_the_sentence_of_a_point_rule_says_how_often_it_rejects_an_unchanged_model(limit_pp: float):
    """On 100 prompts with 5 answers the report's approximation is within 6 points of 400 simulated runs."""
    tried = policy({"direct": CategoryRule(rule="point", limit_pp=limit_pp)})
    simulated = rates(tried, runs=400, model=NOISY)
    quoted = float(re.findall(r"rejects an unchanged model (\d+) % of the time", _point_sentence(limit_pp, 100, 5))[0])
    assert abs(simulated.false_reject_pct - quoted) <= 6


@pytest.mark.parametrize("limit_pp", [3.0, 5.0])
def test_the_sentence_of_a_point_rule_says_how_often_it_passes_a_drop(limit_pp: float):
    """On 100 prompts with 5 answers, for a true drop of 5 pp more than the limit: within 6 points of 400 runs."""
    tried = policy({"direct": CategoryRule(rule="point", limit_pp=limit_pp)})
    simulated = rates(tried, runs=400, model=NOISY, drops_pp=(limit_pp + 5,))
    quoted = float(re.findall(r"passes a true drop of \d+ pp (\d+) %", _point_sentence(limit_pp, 100, 5))[0])
    assert abs(simulated.false_accept(limit_pp + 5).passed_pct - quoted) <= 6


@pytest.mark.parametrize("limit_pp", [3.0, 5.0])
def test_the_sentence_of_a_point_rule_holds_for_few_prompts(limit_pp: float):
    """With 18 prompts and one answer each, limits of 3 and 5 pp are the same as 0: within 6 points of 400 runs."""
    tried = policy({"direct": CategoryRule(rule="point", limit_pp=limit_pp)})
    simulated = rates(tried, 18, 400, NOISY, samples=1)
    quoted = float(re.findall(r"rejects an unchanged model (\d+) % of the time", _point_sentence(limit_pp, 18, 1))[0])
    assert abs(simulated.false_reject_pct - quoted) <= 6


def test_the_spread_without_judge_errors_is_the_planned_one():
    """What the sentence takes from a noise floor is what `suites plan` reckons with, where the judge never errs."""
    assert _noise(2000, 5, QUIET).reach_pp == pytest.approx(
        1.96 * spread_of_unchanged(0.22, 5) / np.sqrt(2000), rel=0.1
    )


def _noise(prompts: int, samples: int, model: Assumptions) -> NoiseFloor:
    rng = np.random.default_rng(0)
    chances = pass_chances(prompts, model, rng)
    first, second = (passed(chances, [samples] * prompts, model.judge_noise, rng) for _ in range(2))
    reach = 196 * ((first - second) / samples).std(ddof=1) / np.sqrt(prompts)
    return NoiseFloor(prompts=prompts, samples=samples, drop_pp=0.0, reach_pp=reach, flips=0)


def _point_sentence(limit_pp: float, prompts: int, samples: int) -> str:
    same = [PromptPair(f"p-{n}", "direct", *[_verdicts(samples, samples)] * 2) for n in range(prompts)]
    delta = category_deltas(same, 0.95)["direct"]
    return sentences.point(delta, limit_pp, Decision.PROMOTE, _noise(2000, samples, NOISY))


@pytest.fixture
def build_zero() -> Policy:
    """Zero tolerance in two categories."""
    return policy({"direct": ZERO, "indirect": ZERO})
