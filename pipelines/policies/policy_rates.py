"""How often a policy makes each decision on simulated models with a known true drop: its false rejects and accepts.

Answers are simulated (`simulated_answers`); the gate's `decide_rows` decides. Left out are checks that do not depend on
a drop: preconditions, floors for levels, the task's gain, disagreement between judges, and judge checks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from components.shared.artifacts.comparison import EscalatedPrompt
from components.shared.artifacts.decision import Decision
from components.shared.config.policy import Policy
from components.shared.gate.deltas import ComparedRows, compare_rows
from components.shared.gate.gate import decide_rows
from components.shared.gate.pairing import PromptPair
from components.shared.gate.rules import worst
from components.shared.progress import Progress, Say
from components.shared.vocabulary import Verdict
from pipelines.policies.simulated_answers import Assumptions, after_drop, pass_chances, passed

DROPS_PP = (3.0, 5.0, 10.0)
"""True drops that are simulated beside an unchanged model."""

FALSE_ACCEPT_PP = DROPS_PP[-1]
"""The true drop whose promotion is called a false accept, percentage points."""

Shares = dict[Decision, float]
"""Percent of the runs by decision; the decisions that occur add up to 100."""


class SimulatedCategory(NamedTuple):
    """One category in one simulated run.

    Attributes:
        compared: its drop, and the prompts that look worse.
        fresh: verdicts on the fresh answers to each prompt that looks worse, by prompt id.
    """

    compared: ComparedRows
    fresh: dict[str, PromptPair]


class Rates(NamedTuple):
    """Shares of the simulated runs by decision, in percent.

    Attributes:
        runs: number of runs per true drop.
        categories: the decision on one category, by category and true drop in pp; the other categories are unchanged.
        overall: the decision on the whole run (the worst of its categories), by the same keys.
        unchanged: the decision on the whole run if nothing changed.
    """

    runs: int
    categories: dict[str, dict[float, Shares]]
    overall: dict[str, dict[float, Shares]]
    unchanged: Shares

    @property
    def false_reject_pct(self) -> float:
        """Percent of the runs in which an unchanged model is rejected."""
        return self.unchanged.get(Decision.REJECT, 0.0)

    def false_accept(self, drop_pp: float) -> "FalseAccept":
        """How often a true drop is promoted, in the category with the largest such share."""
        shares = [
            FalseAccept(
                category=name,
                promoted_pct=by_drop[drop_pp].get(Decision.PROMOTE, 0.0),
                passed_pct=self.categories[name][drop_pp].get(Decision.PROMOTE, 0.0),
            )
            for name, by_drop in self.overall.items()
        ]
        return max(shares, key=lambda accept: (accept.promoted_pct, accept.passed_pct))


class FalseAccept(NamedTuple):
    """How often a true drop of one category is promoted, percent of the runs.

    Attributes:
        category: the category that dropped.
        promoted_pct: the whole run is promoted.
        passed_pct: the category alone is promoted; another one may stop the run.
    """

    category: str
    promoted_pct: float
    passed_pct: float


def simulate(
    policy: Policy,
    draws: Mapping[str, Sequence[int]],
    assumptions: Assumptions,
    runs: int,
    seed: int,
    say: Say,
    drops_pp: Sequence[float] = DROPS_PP,
) -> Rates:
    """Simulates and decides runs of an unchanged model, and of models in which one category dropped.

    Args:
        policy: the rules.
        draws: number of answers to each prompt, by category that has a rule.
        assumptions: properties of model and judge.
        runs: number of simulated runs per true drop.
        seed: seed of the simulation.
        say: prints progress.
        drops_pp: true drops, percentage points, above 0.
    """
    policy = _without_levels(policy)
    unchanged = ("", 0.0)
    dropped = [(name, drop_pp) for name in draws for drop_pp in drops_pp]
    decided: dict[tuple[str, float], list[dict[str, Decision]]] = {key: [] for key in (unchanged, *dropped)}
    today, rng = datetime.now(UTC).date(), np.random.default_rng(seed)
    progress = Progress(say, "simulated runs", runs * len(decided))
    for _ in range(runs):
        same: dict[str, SimulatedCategory] = {}
        worse: dict[tuple[str, float], SimulatedCategory] = {}
        for name, counts in draws.items():
            before = pass_chances(len(counts), assumptions, rng)
            same[name] = draw_category(name, before, before, counts, policy, assumptions.judge_noise, rng)
            for drop_pp in drops_pp:
                after = after_drop(before, drop_pp, assumptions, rng)
                worse[name, drop_pp] = draw_category(name, before, after, counts, policy, assumptions.judge_noise, rng)
        decided[unchanged].append(decide_run(list(same.values()), policy, today))
        for name, drop_pp in dropped:
            samples = {**same, name: worse[name, drop_pp]}
            decided[name, drop_pp].append(decide_run(list(samples.values()), policy, today))
        progress.advance(len(decided))
    overall = {key: _shares([worst(list(run.values())) for run in runs_]) for key, runs_ in decided.items()}
    return Rates(
        runs=runs,
        categories={
            name: {
                0.0: _shares([run[name] for run in decided[unchanged]]),
                **{drop_pp: _shares([run[name] for run in decided[name, drop_pp]]) for drop_pp in drops_pp},
            }
            for name in draws
        },
        overall={name: {drop_pp: overall[name, drop_pp] for drop_pp in drops_pp} for name in draws},
        unchanged=overall[unchanged],
    )


def draw_category(
    category: str,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    draws: Sequence[int],
    policy: Policy,
    judge_noise: float,
    rng: Generator,
) -> SimulatedCategory:
    """Draws one category of one run from the true pass probability of each prompt.

    Args:
        category: its name.
        before: probability that an answer of the base passes, shape (prompts,).
        after: the same for the adapter.
        draws: number of answers to each prompt, per side.
        policy: gives the confidence and the follow-up rule.
        judge_noise: probability that a verdict is wrong.
        rng: random number generator.
    """
    names = [f"{category}-{number}" for number in range(len(draws))]
    compared = compare_rows(_simulated_pairs(names, category, before, after, draws, judge_noise, rng), policy)
    places = {name: number for number, name in enumerate(names)}
    worse = [prompt.prompt_id for prompt in compared.looking_worse]
    asked = [places[name] for name in worse]
    samples = [policy.follow_up.samples] * len(asked)
    fresh = _simulated_pairs(worse, category, before[asked], after[asked], samples, judge_noise, rng)
    return SimulatedCategory(compared, {pair.prompt_id: pair for pair in fresh})


def decide_run(categories: Sequence[SimulatedCategory], policy: Policy, today: date) -> dict[str, Decision]:
    """The gate's decision on every category of one run.

    Args:
        categories: categories that have a rule.
        policy: the rules.
        today: the day, for the waiver's expiry.
    """
    fresh = {prompt_id: pair for category in categories for prompt_id, pair in category.fresh.items()}

    def ask_again(prompts: Sequence[EscalatedPrompt]) -> list[PromptPair]:
        return [fresh[prompt.prompt_id] for prompt in prompts]

    compared = ComparedRows(
        {name: delta for category in categories for name, delta in category.compared.deltas.items()},
        tuple(prompt for category in categories for prompt in category.compared.looking_worse),
    )
    reasons = decide_rows(compared, ask_again, policy, today).reasons
    return {reason.category: reason.decision for reason in reasons if reason.decision is not None}


def _without_levels(policy: Policy) -> Policy:
    """The policy without floors for levels: they depend on the base's level, which the simulation does not have."""
    rules = {name: rule.model_copy(update={"min_pass_pct": None}) for name, rule in policy.categories.items()}
    return policy.model_copy(update={"categories": rules})


def _simulated_pairs(
    names: Sequence[str],
    category: str,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    draws: Sequence[int],
    judge_noise: float,
    rng: Generator,
) -> list[PromptPair]:
    passed_before = passed(before, draws, judge_noise, rng).tolist()
    passed_after = passed(after, draws, judge_noise, rng).tolist()
    return [
        PromptPair(name, category, _verdicts(was, count), _verdicts(now, count))
        for name, count, was, now in zip(names, draws, passed_before, passed_after, strict=True)
    ]


@cache
def _verdicts(passing: int, draws: int) -> tuple[Verdict, ...]:
    return (Verdict.PASS,) * passing + (Verdict.FAIL,) * (draws - passing)


def _shares(decisions: Sequence[Decision]) -> Shares:
    counts = Counter(decisions)
    return {decision: 100 * counts[decision] / len(decisions) for decision in Decision if counts[decision]}
