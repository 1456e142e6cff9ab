"""How often the gate makes each decision, simulated from verdicts to decisions through `decide_rows`.

The simulated model is that of the suite's planning: 22 % of prompts waver, passing with a probability that is uniform
in [0, 1]; the others pass always. A true drop makes each prompt fail for good with one and the same probability, so
that the mean pass rate falls by the drop: a drop on prompts *like* these. Answers are drawn anew for the follow-up.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from components.shared.artifacts.comparison import EscalatedPrompt
from components.shared.artifacts.decision import Decision
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule
from components.shared.config.reading import load_policy
from components.shared.gate.deltas import compare_rows
from components.shared.gate.gate import RowsDecision, decide_rows
from components.shared.gate.pairing import PromptPair
from components.shared.vocabulary import Verdict

WAVERING, SAMPLES = 0.22, 5
ZERO = CategoryRule(rule="zero_tolerance", resolution_pp=3.0)
NARROW = CategoryRule(rule="margin", limit_pp=5.0)
WIDE = CategoryRule(rule="margin", limit_pp=10.0)

PUBLISHED_RUNS = 1000
"""Taken for the table below, which does not say: its shares have a sampling error of their own."""

TABLE = {
    (25, 0): (0, 0.5, 12, 88),
    (25, 3): (0, 59, 4, 37),
    (25, 5): (0, 78, 3, 20),
    (25, 10): (0, 95, 1, 4),
    (50, 0): (2, 0.4, 6, 92),
    (50, 3): (1, 84, 1, 15),
    (50, 5): (0, 95, 1, 5),
    (50, 10): (0, 100, 0, 0),
    (100, 0): (32, 0.9, 1, 66),
    (100, 3): (1, 97, 0, 2),
    (100, 5): (0, 100, 0, 0),
    (100, 10): (0, 100, 0, 0),
    (200, 0): (86, 1.3, 0, 13),
    (200, 3): (0, 100, 0, 0),
    (200, 5): (0, 100, 0, 0),
    (200, 10): (0, 100, 0, 0),
}
"""By prompts and true drop in pp: % promote, reject, review, insufficient; zero tolerance shown to 3 pp, k = 5."""

RUNS = {25: 600, 50: 400, 100: 300, 200: 150}
"""Simulated here, by prompts."""

ORDER = (Decision.PROMOTE, Decision.REJECT, Decision.NEEDS_REVIEW, Decision.INSUFFICIENT_EVIDENCE)


class World(NamedTuple):
    """How often each prompt passes before and after, and how often the judge says the opposite."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    noise: float


def world(draw: Generator, prompts: int, drop_pp: float, noise: float = 0.0) -> World:
    before = np.where(draw.random(prompts) < WAVERING, draw.random(prompts), 1.0)
    broken = draw.random(prompts) < drop_pp / 100 / (1 - WAVERING / 2)
    return World(before, np.where(broken, 0.0, before), noise)


def verdicts(draw: Generator, chances: NDArray[np.float64], samples: int, noise: float) -> list[tuple[Verdict, ...]]:
    counts = draw.binomial(samples, noise + (1 - 2 * noise) * chances)
    return [(Verdict.PASS,) * count + (Verdict.FAIL,) * (samples - count) for count in counts.tolist()]


def decided(draw: Generator, models: dict[str, World], policy: Policy) -> RowsDecision:
    """What the gate decides on these models, asking again where prompts look worse."""
    rows, chances = [], {}
    for category, (before, after, noise) in models.items():
        sides = (verdicts(draw, before, SAMPLES, noise), verdicts(draw, after, SAMPLES, noise))
        for number, (first, second) in enumerate(zip(*sides, strict=True)):
            rows.append(PromptPair(f"{category}-{number:03}", category, first, second))
            chances[rows[-1].prompt_id] = (before[number], after[number], noise)

    def ask_again(prompts: Sequence[EscalatedPrompt]) -> list[PromptPair]:
        fresh = []
        for prompt in prompts:
            *sides, noise = chances[prompt.prompt_id]
            drawn = [verdicts(draw, np.array([chance]), policy.follow_up.samples, noise)[0] for chance in sides]
            fresh.append(PromptPair(prompt.prompt_id, prompt.category, *drawn))
        return fresh

    return decide_rows(compare_rows(rows, policy), ask_again, policy, date(2026, 1, 1))


def decisions(
    build, rule: CategoryRule, runs: int, prompts: int, drop_pp: float, noise: float = 0.0
) -> Counter[Decision]:
    draw = np.random.default_rng([prompts, round(10 * drop_pp), round(1000 * noise)])
    policy = build.policy(categories={"direct": rule})
    return Counter(
        decided(draw, {"direct": world(draw, prompts, drop_pp, noise)}, policy).decision for _ in range(runs)
    )


def close(simulated: float, published_pct: float, runs: int) -> bool:
    """Whether two shares agree within 3.5 binomial standard errors, and half a percent for the rounding."""
    share = min(max(published_pct / 100, 0.01), 0.99)
    error = np.sqrt(share * (1 - share) * (1 / runs + 1 / PUBLISHED_RUNS))
    return abs(simulated - published_pct / 100) <= 3.5 * error + 0.005


@pytest.mark.slow
@pytest.mark.parametrize(("prompts", "drop_pp"), TABLE)
def test_the_published_operating_characteristics(build, prompts: int, drop_pp: int):
    """Each decision comes as often as the table says, within binomial error."""
    runs = RUNS[prompts]
    counted = decisions(build, ZERO, runs, prompts, drop_pp)
    shares = {decision: counted[decision] / runs for decision in ORDER}
    expected = dict(zip(ORDER, TABLE[prompts, drop_pp], strict=True))
    assert all(close(shares[decision], expected[decision], runs) for decision in ORDER), (shares, expected)


@pytest.mark.parametrize(
    ("rule", "prompts", "promoted_pct"),
    [(NARROW, 50, 23), (NARROW, 100, 86), (NARROW, 200, 99.7), (WIDE, 25, 28), (WIDE, 50, 97)],
)
def test_margins_are_reached_as_often_as_published(build, rule: CategoryRule, prompts: int, promoted_pct: float):
    """Of 200 runs an unchanged model is promoted as often as published for its margin, and never rejected."""
    counted = decisions(build, rule, 200, prompts, 0)
    assert close(counted[Decision.PROMOTE] / 200, promoted_pct, 200), counted
    assert counted[Decision.REJECT] == 0


def test_an_unchanged_model_passes_the_standard_policy_in_spite_of_a_noisy_judge(root):
    """Of 200 runs with 100 prompts per category, 5 % wrong verdicts and no change, at most 1 % are rejected."""
    policy = load_policy(str(root / "configs" / "policies" / "standard.yaml"))
    draw = np.random.default_rng(200)
    counted: Counter[Decision] = Counter()
    for _ in range(200):
        models = {name: world(draw, 100, 0, noise=0.05) for name in policy.categories}
        counted[decided(draw, models, policy).decision] += 1
    assert counted[Decision.REJECT] <= 2, counted
    assert counted[Decision.PROMOTE] >= 150, counted


@pytest.mark.parametrize(("rule", "most"), [(ZERO, 0), (NARROW, 0), (WIDE, 16)])
def test_a_drop_of_ten_points_is_not_promoted(build, rule: CategoryRule, most: int):
    """In 50-prompt categories, none of 300 models with a true drop of 10 pp passes a margin of 5 pp or zero tolerance.

    A margin of 10 pp allows just this drop, so it may pass as often as the bound may err: 5 % and no more.
    """
    assert decisions(build, rule, 300, 50, 10)[Decision.PROMOTE] <= most


@pytest.mark.parametrize("rule", [ZERO, NARROW, WIDE])
def test_a_suite_that_lost_a_tenth_of_its_prompts_is_never_promoted(build, rule: CategoryRule):
    """Where 5 of these very 50 prompts fail for good, none of 300 runs promotes, margins of 10 pp included."""
    draw = np.random.default_rng(5)
    policy = build.policy(categories={"direct": rule})
    for _ in range(300):
        model = world(draw, 50, 0)
        after = model.before.copy()
        after[draw.choice(np.flatnonzero(model.before == 1.0), 5, replace=False)] = 0.0
        assert decided(draw, {"direct": model._replace(after=after)}, policy).decision is not Decision.PROMOTE
