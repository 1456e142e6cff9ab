"""How often a policy decides what, on simulated models whose true drop is known: its own false rejects and accepts.

Answers are simulated (`pipelines.policies.simulated_answers`); everything after them is what a run uses: deltas,
escalation, flips on fresh answers, Holm's correction, the rules and the waiver. Left out are checks that no drop
decides: preconditions, floors for levels and the task's gain, judges that disagree or were checked against people.
This module does not know how figures are shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import CategoryDelta, FollowUpPrompt
from components.shared.artifacts.decision import Decision
from components.shared.config.policy import Policy
from components.shared.gate.deltas import category_deltas, escalated_prompts
from components.shared.gate.flips import judge_flips
from components.shared.gate.pairing import PromptPair
from components.shared.gate.rules import CategoryEvidence, decide_category, worst
from components.shared.gate.waivers import waived
from components.shared.progress import Progress, Say
from components.shared.statistics.exact_tests import holm
from components.shared.vocabulary import Verdict
from pipelines.policies.simulated_answers import Assumptions, after_drop, pass_chances, passed

DROPS_PP = (3.0, 5.0, 10.0)
"""True drops that are simulated beside an unchanged model."""

FALSE_ACCEPT_PP = DROPS_PP[-1]
"""The true drop whose promotion is called a false accept, percentage points."""

Shares = dict[Decision, float]
"""Percent of the runs by decision; the decisions that occur add up to 100."""


class Sample(NamedTuple):
    """One category in one simulated run.

    Attributes:
        delta: its change.
        looking_worse: the pairs that a follow-up without a budget would ask again.
        fresh: by prompt id, what asking again shows.
    """

    delta: CategoryDelta
    looking_worse: tuple[PromptPair, ...]
    fresh: dict[str, FollowUpPrompt]


class Rates(NamedTuple):
    """What became of the simulated runs. Shares are in percent of them.

    Attributes:
        runs: per true drop.
        categories: by category and true drop in pp: the category's own decision; the others are unchanged.
        overall: the same for the decision on the whole run: the worst of its categories.
        unchanged: the decision on a whole run where nothing changed.
    """

    runs: int
    categories: dict[str, dict[float, Shares]]
    overall: dict[str, dict[float, Shares]]
    unchanged: Shares

    @property
    def false_reject_pct(self) -> float:
        """How often an unchanged model is rejected."""
        return self.unchanged.get(Decision.REJECT, 0.0)

    def false_accept(self, drop_pp: float) -> "FalseAccept":
        """How often a true drop is promoted, in the category where that happens most often."""
        shares = [
            FalseAccept(
                category=name,
                promoted_pct=by_drop[drop_pp].get(Decision.PROMOTE, 0.0),
                passed_pct=self.categories[name][drop_pp].get(Decision.PROMOTE, 0.0),
            )
            for name, by_drop in self.overall.items()
        ]
        return max(shares, key=lambda own: (own.promoted_pct, own.passed_pct))


class FalseAccept(NamedTuple):
    """A true drop that went through.

    Attributes:
        category: which one dropped.
        promoted_pct: the whole run was promoted.
        passed_pct: the category by itself was inside its rule; another one may have stopped the run.
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
    """Decides simulated runs: one model that is unchanged, and one per category and drop in which only it dropped.

    Args:
        policy: the rules.
        draws: by category that has a rule, the number of answers drawn for each of its prompts.
        assumptions: what model and judge are like.
        runs: simulated runs per true drop.
        seed: of everything that is drawn.
        say: where progress goes.
        drops_pp: true drops, percentage points, above 0.
    """
    unchanged = ("", 0.0)
    dropped = [(name, drop_pp) for name in draws for drop_pp in drops_pp]
    decided: dict[tuple[str, float], list[dict[str, Decision]]] = {key: [] for key in (unchanged, *dropped)}
    today, rng = datetime.now(UTC).date(), np.random.default_rng(seed)
    progress = Progress(say, "simulated runs", runs * len(decided))
    for _ in range(runs):
        same: dict[str, Sample] = {}
        worse: dict[tuple[str, float], Sample] = {}
        for name, own in draws.items():
            before = pass_chances(len(own), assumptions, rng)
            same[name] = draw(name, before, before, own, policy, assumptions.judge_noise, rng)
            for drop_pp in drops_pp:
                after = after_drop(before, drop_pp, assumptions, rng)
                worse[name, drop_pp] = draw(name, before, after, own, policy, assumptions.judge_noise, rng)
        decided[unchanged].append(decide_run(list(same.values()), policy, today))
        for name, drop_pp in dropped:
            samples = {**same, name: worse[name, drop_pp]}
            decided[name, drop_pp].append(decide_run(list(samples.values()), policy, today))
        progress.advance(len(decided))
    whole = {key: _shares([worst(list(own.values())) for own in runs_]) for key, runs_ in decided.items()}
    alone = {key: _shares([own[key[0]] for own in decided[key]]) for key in dropped}
    return Rates(
        runs=runs,
        categories={
            name: {
                0.0: _shares([own[name] for own in decided[unchanged]]),
                **{drop_pp: alone[name, drop_pp] for drop_pp in drops_pp},
            }
            for name in draws
        },
        overall={name: {drop_pp: whole[name, drop_pp] for drop_pp in drops_pp} for name in draws},
        unchanged=whole[unchanged],
    )


def draw(
    category: str,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    draws: Sequence[int],
    policy: Policy,
    judge_noise: float,
    rng: Generator,
) -> Sample:
    """One category of one run, from how often each of its prompts truly passes.

    Args:
        category: its name.
        before: chance that an answer of the base passes, shape (prompts,).
        after: the same of the adapter.
        draws: answers per prompt and side.
        policy: for its confidence and its follow-up rule.
        judge_noise: probability that the judge says the opposite.
        rng: the source of chance.
    """
    counts = zip(
        draws,
        passed(before, draws, judge_noise, rng).tolist(),
        passed(after, draws, judge_noise, rng).tolist(),
        strict=True,
    )
    pairs = [
        PromptPair(f"{category}-{n}", category, _verdicts(was, own), _verdicts(now, own))
        for n, (own, was, now) in enumerate(counts)
    ]
    rule = policy.follow_up
    worse = escalated_prompts(pairs, rule.model_copy(update={"max_prompts": len(pairs)})).prompts
    places = {pair.prompt_id: n for n, pair in enumerate(pairs)}
    asked = [places[prompt.prompt_id] for prompt in worse]
    samples = [rule.samples] * len(asked)
    again = zip(
        worse,
        passed(before[asked], samples, judge_noise, rng).tolist(),
        passed(after[asked], samples, judge_noise, rng).tolist(),
        strict=True,
    )
    fresh = {
        prompt.prompt_id: _flip(was, now, rule.samples, policy.flip_alpha, rule.max_share_after).model_copy(
            update={"prompt_id": prompt.prompt_id, "category": category}
        )
        for prompt, was, now in again
    }
    delta = category_deltas(pairs, policy.confidence)[category]
    return Sample(delta, tuple(pairs[n] for n in asked), fresh)


def decide_run(samples: Sequence[Sample], policy: Policy, today: date) -> dict[str, Decision]:
    """The decision on every category of one run, by the gate's own rules.

    Args:
        samples: its categories; each has a rule.
        policy: the rules; their floors for levels are left out.
        today: waivers expire.
    """
    escalation = escalated_prompts([pair for own in samples for pair in own.looking_worse], policy.follow_up)
    chosen = {prompt.prompt_id for prompt in escalation.prompts}
    adjusted = holm([own.delta.mcnemar_p for own in samples])
    decided = {}
    for (delta, _, fresh), p_value in zip(samples, adjusted, strict=True):
        followed_up = [prompt for prompt_id, prompt in fresh.items() if prompt_id in chosen]
        evidence = CategoryEvidence(delta, p_value, followed_up, escalation.over_budget.get(delta.category, 0))
        rule = policy.categories[delta.category].model_copy(update={"min_pass_pct": None})
        reason = waived(decide_category(evidence, rule, policy), policy, today)
        if reason.decision is not None:
            decided[delta.category] = reason.decision
    return decided


@cache
def _verdicts(passing: int, draws: int) -> tuple[Verdict, ...]:
    return (Verdict.PASS,) * passing + (Verdict.FAIL,) * (draws - passing)


@cache
def _flip(passed_before: int, passed_after: int, samples: int, alpha: float, max_share_after: float) -> FollowUpPrompt:
    """What the follow-up makes of one prompt's fresh answers."""
    before, after = _rows(passed_before, samples), _rows(passed_after, samples)
    (flip,) = judge_flips(before, after, alpha, max_share_after)
    return flip


def _rows(passing: int, samples: int) -> list[AnswerRow]:
    return [
        AnswerRow(
            prompt_id="",
            category="",
            sample=n,
            answer="",
            tokens=0,
            complete=True,
            verdict=verdict,
            judge="",
            reason="",
        )
        for n, verdict in enumerate(_verdicts(passing, samples))
    ]


def _shares(decisions: Sequence[Decision]) -> Shares:
    counts = Counter(decisions)
    return {decision: 100 * counts[decision] / len(decisions) for decision in Decision if counts[decision]}
