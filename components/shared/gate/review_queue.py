"""The review queue: what a person should look at if the decision is `needs_review`, most telling first.

Each category that asks for a review adds its prompts: new failures, prompts that fail more often, answers that judges
disagree about. Of each prompt one answer of each side is shown. Pure functions of the evidence.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import FollowUpPrompt
from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from components.shared.artifacts.human_review import JudgedAnswer, QueueItem, Why, dump_queue
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.digests import digest_bytes
from components.shared.gate.disagreement import is_disputed
from components.shared.gate.pairing import PromptPair, by_answer, pair
from components.shared.gate.preconditions import Evidence
from components.shared.statistics.tolerance import above
from components.shared.vocabulary import TASK_CATEGORY, Verdict

PER_CATEGORY = 50
"""Most items that one category adds to the queue; each item says how many there were."""


class Queued(NamedTuple):
    """A decision that names its queue, and the queue's file."""

    decision: GateDecision
    queue: bytes | None
    """Lines of `review_queue.jsonl`; None if no review is asked for."""


class _Candidate(NamedTuple):
    """One answer that a category asks a person to look at."""

    pair: PromptPair
    sample: int
    why: tuple[Why, ...]
    asks: str
    fresh: FollowUpPrompt | None

    @property
    def key(self) -> tuple[str, int]:
        return self.pair.prompt_id, self.sample

    @property
    def order(self) -> tuple[bool, float, float, str, int]:
        """Sorts the most telling first."""
        confirmed = self.fresh is not None and self.fresh.confirmed
        return not confirmed, -self.pair.drop, self.pair.passing_share(after=True), *self.key


def with_queue(decision: GateDecision, evidence: Evidence, policy: Policy) -> Queued:
    """The decision with the digest of its review queue; unchanged if it is not `needs_review`."""
    if decision.decision is not Decision.NEEDS_REVIEW:
        return Queued(decision, None)
    queue = dump_queue(review_queue(evidence, decision.reasons, policy))
    return Queued(decision.model_copy(update={"queue_sha256": digest_bytes(queue)}), queue)


def review_queue(
    evidence: Evidence, reasons: Sequence[CategoryReason], policy: Policy, per_category: int = PER_CATEGORY
) -> tuple[QueueItem, ...]:
    """The items to review: confirmed new failures first, then the largest drops, then the prompts that fail most.

    Args:
        evidence: everything that was measured.
        reasons: reasons of the decision; only those that ask for a review add items.
        policy: the rules.
        per_category: most items of one category.
    """
    prompts = {prompt.id: prompt for prompt in evidence.prompts}
    chosen: dict[tuple[str, int], tuple[_Candidate, int, int]] = {}
    for reason in reasons:
        if reason.decision is Decision.NEEDS_REVIEW:
            new = [each for each in _candidates(reason, evidence, policy) if each.key not in chosen]
            new.sort(key=lambda each: each.order)
            chosen |= {each.key: (each, rank, len(new)) for rank, each in enumerate(new[:per_category], start=1)}
    shown = {prompt_id for prompt_id, _ in chosen}
    before, after = by_answer(evidence.baseline_rows, shown), by_answer(evidence.post_rows, shown)
    system = evidence.post.contract.system_prompt
    return tuple(
        _item(each, rank, of, prompts[each.pair.prompt_id], system, before[each.key], after[each.key])
        for each, rank, of in sorted(chosen.values(), key=lambda entry: entry[0].order)
    )


def _candidates(reason: CategoryReason, evidence: Evidence, policy: Policy) -> list[_Candidate]:
    """A category's candidates: of each prompt one answer that shows the drop, and one that judges disagree about."""
    asked = evidence.prompt_ids(reason.category)
    after = [row for row in evidence.post_rows if row.prompt_id in asked]
    disputed = _disputed(after) if _too_much_disagreement(reason.category, evidence, policy) else {}
    shown = disputed.keys() | {row.prompt_id for row in after if row.verdict is not Verdict.PASS}
    before = [row for row in evidence.baseline_rows if row.prompt_id in shown]
    followed_up = {prompt.prompt_id: prompt for prompt in evidence.follow_up.prompts}
    candidates: list[_Candidate] = []
    for each in pair(before, [row for row in after if row.prompt_id in shown]):
        fresh = followed_up.get(each.prompt_id)
        samples = disputed.get(each.prompt_id, [])
        why = _why(each, fresh, reason, evidence, policy)
        if why:
            sample = each.telling_sample
            also = (Why.DISAGREEMENT,) if sample in samples else ()
            candidates.append(_Candidate(each, sample, (*why, *also), reason.category, fresh))
            samples = [] if also else samples
        candidates += [_Candidate(each, sample, (Why.DISAGREEMENT,), reason.category, fresh) for sample in samples[:1]]
    return candidates


def _why(
    prompt: PromptPair, fresh: FollowUpPrompt | None, reason: CategoryReason, evidence: Evidence, policy: Policy
) -> tuple[Why, ...]:
    """Why a prompt is worth a look, apart from judges that disagree."""
    failing = prompt.passing_share(after=True) < 1
    confirmed = (Why.CONFIRMED,) if failing and fresh is not None and fresh.confirmed else ()
    rule = policy.categories.get(reason.category)
    if rule is None:
        level = Why.GAIN if reason.category == TASK_CATEGORY else Why.LEVEL
        return (*confirmed, level) if failing else ()
    looks_worse = not above(policy.follow_up.escalate_drop, prompt.drop)
    left_out = fresh is None and looks_worse and evidence.delta.over_budget.get(reason.category, 0) > 0
    dropped = rule.rule != "point" and above(reason.used.drop_pp, rule.margin_pp) and above(prompt.drop, 0)
    low = rule.min_pass_pct is not None and above(rule.min_pass_pct, reason.delta.after_pct) and failing
    known = ((Why.UNCONFIRMED, left_out), (Why.DROP, dropped), (Why.LEVEL, low))
    return (*confirmed, *(why for why, holds in known if holds))


def _too_much_disagreement(category: str, evidence: Evidence, policy: Policy) -> bool:
    share = evidence.delta.disagreement_pct.get(category)
    return share is not None and above(share, policy.max_disagreement_pct)


def _disputed(rows: Sequence[AnswerRow]) -> dict[str, list[int]]:
    """By prompt, the samples that judges disagree about, in order."""
    samples: defaultdict[str, list[int]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.sample):
        if is_disputed(row):
            samples[row.prompt_id].append(row.sample)
    return samples


def _item(
    candidate: _Candidate,
    rank: int,
    of: int,
    prompt: SuitePrompt,
    system: str | None,
    before: AnswerRow,
    after: AnswerRow,
) -> QueueItem:
    return QueueItem(
        rank=rank,
        found=of,
        asks=candidate.asks,
        category=candidate.pair.category,
        prompt_id=candidate.pair.prompt_id,
        sample=candidate.sample,
        why=candidate.why,
        system=prompt.system if prompt.system is not None else system,
        turns=prompt.messages,
        prompt=prompt.prompt,
        samples=len(candidate.pair.after),
        passed_before=candidate.pair.before.count(Verdict.PASS),
        passed_after=candidate.pair.after.count(Verdict.PASS),
        fresh=candidate.fresh,
        before=_judged(before),
        after=_judged(after),
    )


def _judged(row: AnswerRow) -> JudgedAnswer:
    return JudgedAnswer(
        answer=row.answer, verdict=row.verdict, judge=row.judge, reason=row.reason, opinions=row.opinions
    )
