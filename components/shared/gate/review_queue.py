"""The review queue: what a person should look at where the decision is `needs_review`, the most telling first.

Each category that asks for a review puts its prompts in: new failures, prompts that fail more often, answers that the
judges disagree about. Of each prompt one answer of each side is shown. Pure functions of the evidence; this module
does not know who reviews, or how.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import FollowUpPrompt
from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from components.shared.artifacts.human_review import JudgedAnswer, QueueItem, Why, dump_queue
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.digests import digest_bytes
from components.shared.gate.pairing import PromptPair, pair
from components.shared.gate.preconditions import Evidence
from components.shared.statistics.tolerance import above
from components.shared.vocabulary import GROUPS, TASK_CATEGORY, Verdict

PER_CATEGORY = 50
"""Most items that one category puts into the queue; each item says how many there were."""

_READ = frozenset({Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL})


class Queued(NamedTuple):
    """A decision that names its queue, and the queue's file."""

    decision: GateDecision
    queue: bytes | None
    """Lines of `review_queue.jsonl`; None where nobody is asked."""


class _Found(NamedTuple):
    """One answer that a category asks about."""

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
        """Smaller is more telling."""
        certain = self.fresh is not None and self.fresh.confirmed
        return not certain, -self.pair.drop, self.pair.passing_share(after=True), *self.key


def with_queue(decision: GateDecision, evidence: Evidence, policy: Policy) -> Queued:
    """The decision, with the digest of what is there to review; unchanged where it is not `needs_review`."""
    if decision.decision is not Decision.NEEDS_REVIEW:
        return Queued(decision, None)
    queue = dump_queue(review_queue(evidence, decision.reasons, policy))
    return Queued(decision.model_copy(update={"queue_sha256": digest_bytes(queue)}), queue)


def review_queue(
    evidence: Evidence, reasons: Sequence[CategoryReason], policy: Policy, per_category: int = PER_CATEGORY
) -> tuple[QueueItem, ...]:
    """What to look at: confirmed new failures first, then the largest drops, then the prompts that fail most.

    Args:
        evidence: what was measured.
        reasons: the decision's; those that ask for a review are read.
        policy: the rules.
        per_category: most items of one category.
    """
    prompts = {prompt.id: prompt for prompt in evidence.prompts}
    chosen: dict[tuple[str, int], tuple[_Found, int, int]] = {}
    for reason in reasons:
        if reason.decision is Decision.NEEDS_REVIEW:
            asked = {identity for identity, prompt in prompts.items() if _is_asked_about(prompt, reason.category)}
            found = [own for own in _found(reason, asked, evidence, policy) if own.key not in chosen]
            found.sort(key=lambda own: own.order)
            chosen |= {own.key: (own, rank, len(found)) for rank, own in enumerate(found[:per_category], start=1)}
    shown = {prompt_id for prompt_id, _ in chosen}
    before, after = _by_key(evidence.baseline_rows, shown), _by_key(evidence.post_rows, shown)
    system = evidence.post.contract.system_prompt
    return tuple(
        _item(own, rank, of, prompts[own.pair.prompt_id], system, before[own.key], after[own.key])
        for own, rank, of in sorted(chosen.values(), key=lambda entry: entry[0].order)
    )


def _is_asked_about(prompt: SuitePrompt, category: str) -> bool:
    group = GROUPS.get(category)
    return prompt.expectation is group if group is not None else prompt.category == category


def _found(reason: CategoryReason, asked: Collection[str], evidence: Evidence, policy: Policy) -> list[_Found]:
    """What a category asks about: of each prompt one answer that shows the change, and one that splits the judges."""
    after = [row for row in evidence.post_rows if row.prompt_id in asked]
    split = _split(after) if _judges_disagree(reason.category, evidence, policy) else {}
    telling = split.keys() | {row.prompt_id for row in after if row.verdict is not Verdict.PASS}
    before = [row for row in evidence.baseline_rows if row.prompt_id in telling]
    followed_up = {own.prompt_id: own for own in evidence.follow_up.prompts}
    found: list[_Found] = []
    for own in pair(before, [row for row in after if row.prompt_id in telling]):
        fresh = followed_up.get(own.prompt_id)
        splitting = split.get(own.prompt_id, [])
        why = _why(own, fresh, reason, evidence, policy)
        if why:
            sample = _telling_sample(own)
            also = (Why.DISAGREEMENT,) if sample in splitting else ()
            found.append(_Found(own, sample, (*why, *also), reason.category, fresh))
            splitting = [] if also else splitting
        found += [_Found(own, sample, (Why.DISAGREEMENT,), reason.category, fresh) for sample in splitting[:1]]
    return found


def _why(
    own: PromptPair, fresh: FollowUpPrompt | None, reason: CategoryReason, evidence: Evidence, policy: Policy
) -> tuple[Why, ...]:
    """What there is against a prompt, apart from judges that disagree."""
    failing = own.passing_share(after=True) < 1
    confirmed = (Why.CONFIRMED,) if failing and fresh is not None and fresh.confirmed else ()
    rule = policy.categories.get(reason.category)
    if rule is None:
        level = Why.GAIN if reason.category == TASK_CATEGORY else Why.LEVEL
        return (*confirmed, level) if failing else ()
    looks_worse = not above(policy.follow_up.escalate_drop, own.drop)
    left_out = fresh is None and looks_worse and evidence.delta.over_budget.get(reason.category, 0) > 0
    used = reason.judged or reason.delta
    dropped = rule.rule != "point" and above(used.drop_pp, rule.margin_pp) and above(own.drop, 0)
    low = rule.min_pass_pct is not None and above(rule.min_pass_pct, reason.delta.after_pct) and failing
    known = ((Why.UNCONFIRMED, left_out), (Why.DROP, dropped), (Why.LEVEL, low))
    return (*confirmed, *(why for why, holds in known if holds))


def _judges_disagree(category: str, evidence: Evidence, policy: Policy) -> bool:
    share = evidence.delta.disagreement_pct.get(category)
    return share is not None and above(share, policy.max_disagreement_pct)


def _split(rows: Sequence[AnswerRow]) -> dict[str, list[int]]:
    """Samples by prompt about which another judge says otherwise, counted as `evaluation.disagreement` counts."""
    samples: dict[str, list[int]] = {}
    for row in sorted((row for row in rows if row.opinions), key=lambda row: row.sample):
        passes = row.verdict is Verdict.PASS
        others = [own.verdict for own in row.opinions if own.verdict in _READ]
        if row.verdict in _READ and any((other is Verdict.PASS) != passes for other in others):
            samples.setdefault(row.prompt_id, []).append(row.sample)
    return samples


def _telling_sample(own: PromptPair) -> int:
    """The first sample that passed before and does not pass after, else the first that does not pass after."""
    failing = [n for n, verdict in enumerate(own.after) if verdict is not Verdict.PASS]
    flipped = [n for n in failing if n < len(own.before) and own.before[n] is Verdict.PASS]
    return (flipped or failing)[0]


def _item(
    found: _Found, rank: int, of: int, prompt: SuitePrompt, system: str | None, before: AnswerRow, after: AnswerRow
) -> QueueItem:
    own = found.pair
    return QueueItem(
        rank=rank,
        found=of,
        asks=found.asks,
        category=own.category,
        prompt_id=own.prompt_id,
        sample=found.sample,
        why=found.why,
        system=prompt.system if prompt.system is not None else system,
        turns=prompt.messages,
        prompt=prompt.prompt,
        samples=len(own.after),
        passed_before=sum(verdict is Verdict.PASS for verdict in own.before),
        passed_after=sum(verdict is Verdict.PASS for verdict in own.after),
        fresh=found.fresh,
        before=_judged(before),
        after=_judged(after),
    )


def _judged(row: AnswerRow) -> JudgedAnswer:
    return JudgedAnswer(
        answer=row.answer, verdict=row.verdict, judge=row.judge, reason=row.reason, opinions=row.opinions
    )


def _by_key(rows: Sequence[AnswerRow], wanted: Collection[str]) -> dict[tuple[str, int], AnswerRow]:
    return {(row.prompt_id, row.sample): row for row in rows if row.prompt_id in wanted}
