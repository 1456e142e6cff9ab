"""What the gate should say about a mutant, from many answers of both sides: the gate itself, run on resampled answers.

Answers of both sides to one prompt that share a sample number were drawn with the same random numbers, so they are
resampled together: a gate that asks both sides with one seed sees less noise than one that does not, and so does this
one. Each simulation first resamples the many answers themselves (what is known of the truth is uncertain, too), then
draws from them as many as the gate gets, and fresh ones for the prompts that look worse. Everything after that is the
gate's own code. This module does not know models or files.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.decision import Decision
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.gate.deltas import category_deltas, escalated_prompts, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.flips import judge_flips
from components.shared.gate.gate import decide
from components.shared.gate.pairing import PromptPair
from components.shared.gate.preconditions import Evidence
from components.shared.vocabulary import Verdict


class Known(NamedTuple):
    """A prompt and many answers of both sides to it, by sample number; rows with one reading are one object."""

    prompt: SuitePrompt
    before: Sequence[AnswerRow]
    after: Sequence[AnswerRow]


class TrueDrop(NamedTuple):
    """A category's drop as many answers show it: percentage points, and its standard error on these prompts."""

    drop_pp: float
    error_pp: float


class Prediction(NamedTuple):
    """Shares of simulated gates by decision, of the whole and of each category that is decided on."""

    decisions: dict[Decision, float]
    categories: dict[str, dict[Decision, float]]


def known_answers(
    prompts: Sequence[SuitePrompt], before: Sequence[AnswerRow], after: Sequence[AnswerRow]
) -> list[Known]:
    """Both sides' answers to each prompt.

    Raises:
        ValueError: the sides do not have equally many answers to a prompt, or none.
    """
    first, second = _by_prompt(before), _by_prompt(after)
    for prompt in prompts:
        if not first.get(prompt.id) or len(first[prompt.id]) != len(second.get(prompt.id, ())):
            raise ValueError(f"prompt {prompt.id!r}: expected equally many answers of both sides, at least one")
    return [Known(prompt, _alike(first[prompt.id]), _alike(second[prompt.id])) for prompt in prompts]


def true_drops(known: Sequence[Known]) -> dict[str, TrueDrop]:
    """The drop of every category. An unscored answer counts as it does in the gate: `PromptPair.drop`."""
    means: defaultdict[str, list[float]] = defaultdict(list)
    variances: defaultdict[str, list[float]] = defaultdict(list)
    for own in known:
        moved = [
            PromptPair(own.prompt.id, own.prompt.category, (b.verdict,), (a.verdict,)).drop
            for b, a in zip(own.before, own.after, strict=True)
        ]
        means[own.prompt.category].append(float(np.mean(moved)))
        spread = float(np.var(moved, ddof=1)) if len(moved) > 1 else 0.0
        variances[own.prompt.category].append(spread / len(moved))
    return {
        category: TrueDrop(100 * float(np.mean(drops)), 100 * float(np.sqrt(np.sum(variances[category]))) / len(drops))
        for category, drops in means.items()
    }


def predict(
    known: Sequence[Known], evidence: Evidence, policy: Policy, samples: int, simulations: int, seed: int
) -> Prediction:
    """What this gate says about a model with these answers, over the chance in what it gets to see.

    Args:
        known: many answers of both sides.
        evidence: a real gate's; its rows, delta and follow-up are replaced in each simulation.
        policy: the rules.
        samples: answers per prompt and side that the gate gets, where a prompt does not say.
        simulations: how many gates are simulated.
        seed: of the resampling.
    """
    rng, copies = np.random.default_rng(seed), _Copies()
    today = datetime.now(UTC).date()
    decisions: Counter[Decision] = Counter()
    categories: defaultdict[str, Counter[Decision]] = defaultdict(Counter)
    for _ in range(simulations):
        decision = decide(_imagined(known, evidence, policy, samples, rng, copies), policy, today)
        decisions[decision.decision] += 1
        for reason in decision.reasons:
            if reason.decision is not None:
                categories[reason.category][reason.decision] += 1
    return Prediction(_shares(decisions), {name: _shares(own) for name, own in categories.items()})


def _imagined(
    known: Sequence[Known],
    evidence: Evidence,
    policy: Policy,
    samples: int,
    rng: np.random.Generator,
    copies: "_Copies",
) -> Evidence:
    """Evidence that the gate might have got."""
    pools = {own.prompt.id: rng.integers(len(own.after), size=len(own.after)) for own in known}
    drawn = [_drawn(own, pools[own.prompt.id], own.prompt.draws(samples), rng, copies) for own in known]
    pairs = [
        PromptPair(own.prompt.id, own.prompt.category, _verdicts(own.before), _verdicts(own.after)) for own in drawn
    ]
    before = [row for own in drawn for row in own.before]
    after = [row for own in drawn for row in own.after]
    escalation = escalated_prompts(pairs, policy.follow_up)
    delta = DeltaReport(
        contract_digest=evidence.delta.contract_digest,
        confidence=policy.confidence,
        categories=category_deltas(pairs, policy.confidence),
        groups=group_deltas(pairs, evidence.prompts, policy.confidence),
        disagreement_pct=disagreement_pct(after),
        escalated=escalation.prompts,
        over_budget=escalation.over_budget,
        judge_checks=evidence.delta.judge_checks,
        problems=(),
        inputs=evidence.delta.inputs,
    )
    chosen = {own.prompt_id for own in escalation.prompts}
    fresh = [
        _drawn(own, pools[own.prompt.id], policy.follow_up.samples, rng, copies)
        for own in known
        if own.prompt.id in chosen
    ]
    alpha = policy.flip_alpha
    follow_up = FollowUpReport(
        adapter_digest=evidence.follow_up.adapter_digest,
        contract_digest=delta.contract_digest,
        alpha=alpha,
        prompts=judge_flips(
            [row for own in fresh for row in own.before],
            [row for own in fresh for row in own.after],
            alpha,
            policy.follow_up.max_share_after,
        ),
        answers_sha256={},
        inputs={**evidence.follow_up.inputs, "delta": delta.digest},
    )
    return evidence._replace(baseline_rows=before, post_rows=after, delta=delta, follow_up=follow_up)


class _Copies:
    """Rows with another sample number, each made once: a gate refers to an answer by prompt and number."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], AnswerRow] = {}

    def numbered(self, rows: Sequence[AnswerRow], places: Sequence[int]) -> list[AnswerRow]:
        """The rows at these places, numbered from 0."""
        return [self._copy(rows[place], sample) for sample, place in enumerate(places)]

    def _copy(self, row: AnswerRow, sample: int) -> AnswerRow:
        key = (id(row), sample)
        if key not in self._made:
            self._made[key] = row.model_copy(update={"sample": sample})
        return self._made[key]


def _drawn(own: Known, pool: NDArray[np.int64], count: int, rng: np.random.Generator, copies: _Copies) -> Known:
    """So many of a prompt's answers, both sides alike, with the sample numbers of a gate's own."""
    places = pool[rng.integers(len(pool), size=count)].tolist()
    return Known(own.prompt, copies.numbered(own.before, places), copies.numbered(own.after, places))


def _alike(rows: Sequence[AnswerRow]) -> list[AnswerRow]:
    """The rows, those that the judges read alike as one: a simulated gate sees no difference."""
    first: dict[tuple[object, ...], AnswerRow] = {}
    return [first.setdefault((row.verdict, row.judge, row.opinions), row) for row in rows]


def _verdicts(rows: Sequence[AnswerRow]) -> tuple[Verdict, ...]:
    return tuple(row.verdict for row in rows)


def _by_prompt(rows: Sequence[AnswerRow]) -> Mapping[str, list[AnswerRow]]:
    grouped: defaultdict[str, list[AnswerRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda own: own.sample):
        grouped[row.prompt_id].append(row)
    return grouped


def _shares(counts: Counter[Decision]) -> dict[Decision, float]:
    return {decision: count / counts.total() for decision, count in counts.items()}
