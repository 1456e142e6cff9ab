"""Predicts the gate's decision about a mutant, by simulation from many answers of both sides.

The k-th answers of both sides to a prompt were drawn with the same random numbers, which lowers the noise of the
difference; so they are resampled in pairs. Each simulation first resamples the answers themselves, because the true
drop is uncertain too; then it draws from them as many as the gate gets, and fresh ones for the prompts that look worse.
The gate's `decide_rows` decides.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import EscalatedPrompt
from components.shared.artifacts.decision import Decision
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.gate.deltas import compare_rows, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.gate import RowsDecision, decide_rows
from components.shared.gate.judge_correction import judges_of
from components.shared.gate.pairing import PromptPair, grades_of
from components.shared.gate.preconditions import Evidence, answer_problems, evidence_problems


class KnownPrompt(NamedTuple):
    """A prompt with many answers of both sides, in sample order."""

    prompt: SuitePrompt
    before: Sequence[AnswerRow]
    after: Sequence[AnswerRow]

    def drawn(self, places: Sequence[int]) -> "KnownPrompt":
        """The same prompt with the answers at these places, on both sides."""
        return self._replace(before=[self.before[n] for n in places], after=[self.after[n] for n in places])

    @property
    def pair(self) -> PromptPair:
        """The verdicts of both sides, and the grades if there are any."""
        before, after = (tuple(row.verdict for row in rows) for rows in (self.before, self.after))
        return PromptPair(self.prompt.id, self.prompt.category, before, after, grades_of(self.before, self.after))


class TrueDrop(NamedTuple):
    """A category's drop, measured on many answers, and its standard error on these prompts; percentage points."""

    drop_pp: float
    error_pp: float


class Prediction(NamedTuple):
    """Shares of simulated gates by decision, 0 to 1: of the whole gate, and of each category that is decided on."""

    decisions: dict[Decision, float]
    categories: dict[str, dict[Decision, float]]


def known_answers(
    prompts: Sequence[SuitePrompt], before: Sequence[AnswerRow], after: Sequence[AnswerRow]
) -> list[KnownPrompt]:
    """Each prompt with both sides' answers.

    Raises:
        ValueError: a prompt has no answers, or not the same number on both sides.
    """
    first, second = _by_prompt(before), _by_prompt(after)
    for prompt in prompts:
        was, now = len(first.get(prompt.id, ())), len(second.get(prompt.id, ()))
        if not was or was != now:
            raise ValueError(
                f"prompt {prompt.id!r}: {was} answers before and {now} after; expected equally many, at least one"
            )
    return [KnownPrompt(prompt, first[prompt.id], second[prompt.id]) for prompt in prompts]


def true_drops(known: Sequence[KnownPrompt]) -> dict[str, TrueDrop]:
    """The drop of every category. An unscored answer counts as it does in the gate: `PromptPair.drop`."""
    means: defaultdict[str, list[float]] = defaultdict(list)
    variances: defaultdict[str, list[float]] = defaultdict(list)
    for answered in known:
        prompt = answered.prompt
        drops = [
            PromptPair(prompt.id, prompt.category, (b.verdict,), (a.verdict,)).drop
            for b, a in zip(answered.before, answered.after, strict=True)
        ]
        means[prompt.category].append(float(np.mean(drops)))
        spread = float(np.var(drops, ddof=1)) if len(drops) > 1 else 0.0
        variances[prompt.category].append(spread / len(drops))
    return {
        category: TrueDrop(100 * float(np.mean(drops)), 100 * float(np.sqrt(np.sum(variances[category]))) / len(drops))
        for category, drops in means.items()
    }


def predict(
    known: Sequence[KnownPrompt], evidence: Evidence, policy: Policy, samples: int, simulations: int, seed: int
) -> Prediction:
    """How often a gate that draws a few of these answers makes each decision.

    Args:
        known: many answers of both sides.
        evidence: evidence of a real gate; rows, delta and follow-up are replaced in each simulation.
        policy: the rules.
        samples: answers per prompt and side that the gate gets, for a prompt that has no number of its own.
        simulations: number of simulated gates.
        seed: seed of the resampling.
    """
    rng = np.random.default_rng(seed)
    today = datetime.now(UTC).date()
    problems = evidence_problems(evidence, policy)
    decisions: Counter[Decision] = Counter()
    categories: defaultdict[str, Counter[Decision]] = defaultdict(Counter)
    for _ in range(simulations):
        decided = _simulated_gate(known, evidence, problems, policy, samples, today, rng)
        decisions[decided.decision] += 1
        for reason in decided.reasons:
            if reason.decision is not None:
                categories[reason.category][reason.decision] += 1
    return Prediction(_shares(decisions), {name: _shares(counts) for name, counts in categories.items()})


def _simulated_gate(
    known: Sequence[KnownPrompt],
    evidence: Evidence,
    problems: Sequence[str],
    policy: Policy,
    samples: int,
    today: date,
    rng: np.random.Generator,
) -> RowsDecision:
    """The decision of one simulated gate."""
    pools = {answered.prompt.id: rng.integers(len(answered.after), size=len(answered.after)) for answered in known}
    drawn = [_draw(answered, pools, answered.prompt.draws(samples), rng) for answered in known]

    def ask_again(prompts: Sequence[EscalatedPrompt]) -> list[PromptPair]:
        escalated = {prompt.prompt_id for prompt in prompts}
        asked = [answered for answered in known if answered.prompt.id in escalated]
        return [_draw(answered, pools, policy.follow_up.samples, rng).pair for answered in asked]

    pairs = [answered.pair for answered in drawn]
    before = [row for answered in drawn for row in answered.before]
    after = [row for answered in drawn for row in answered.after]
    return decide_rows(
        compare_rows(pairs, policy),
        ask_again,
        policy,
        today,
        groups=group_deltas(pairs, evidence.prompts, policy.confidence),
        disagreement_pct=disagreement_pct(after),
        judges=judges_of(after),
        judge_checks=evidence.post.judge_checks,
        problems=[*problems, *answer_problems(evidence.prompts, before, after, policy)],
    )


def _draw(
    answered: KnownPrompt, pools: Mapping[str, NDArray[np.int64]], count: int, rng: np.random.Generator
) -> KnownPrompt:
    pool = pools[answered.prompt.id]
    return answered.drawn(pool[rng.integers(len(pool), size=count)].tolist())


def _by_prompt(rows: Sequence[AnswerRow]) -> Mapping[str, list[AnswerRow]]:
    grouped: defaultdict[str, list[AnswerRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.sample):
        grouped[row.prompt_id].append(row)
    return grouped


def _shares(counts: Counter[Decision]) -> dict[Decision, float]:
    return {decision: count / counts.total() for decision, count in counts.items()}
