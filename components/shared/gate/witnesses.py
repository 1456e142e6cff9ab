"""The prompts that prove what the gate says: two answers each, the adapter's worse than the base's."""

from collections.abc import Collection, Sequence

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.decision import CategoryReason, Decision, Witness
from components.shared.gate.pairing import PromptPair, pair
from components.shared.gate.preconditions import Evidence
from components.shared.vocabulary import GROUPS, Verdict

_PER_CATEGORY = 3
_TELLING = frozenset({Decision.REJECT, Decision.NEEDS_REVIEW})


def witnesses(evidence: Evidence, reasons: Sequence[CategoryReason]) -> tuple[Witness, ...]:
    """Up to three prompts for each category that rejects or asks for review, worst first.

    Confirmed flips come first, then the largest drops, then the prompts that fail most. Of each prompt the first sample
    is shown that passed before and does not pass after, else the first that does not pass after.
    """
    telling = [reason.category for reason in reasons if reason.decision in _TELLING]
    if not telling:
        return ()
    expected = {prompt.id: prompt.expectation for prompt in evidence.prompts}
    unsound = {row.prompt_id for row in evidence.post_rows if row.verdict is not Verdict.PASS}
    failing = pair(
        (row for row in evidence.baseline_rows if row.prompt_id in unsound),
        (row for row in evidence.post_rows if row.prompt_id in unsound),
    )
    confirmed = {prompt.prompt_id for prompt in evidence.follow_up.prompts if prompt.confirmed}
    chosen: dict[str, PromptPair] = {}
    for reason in reasons:
        if reason.decision in _TELLING:
            group = GROUPS.get(reason.category)
            own = [
                p for p in failing if (expected.get(p.prompt_id) is group if group else p.category == reason.category)
            ]
            own.sort(key=lambda p: (p.prompt_id not in confirmed, -p.drop, p.passing_share(after=True), p.prompt_id))
            chosen |= {p.prompt_id: p for p in own[:_PER_CATEGORY]}
    before, after = _by_key(evidence.baseline_rows, chosen), _by_key(evidence.post_rows, chosen)
    return tuple(_witness(evidence, own, before, after) for own in chosen.values())


def _witness(
    evidence: Evidence,
    own: PromptPair,
    before: dict[tuple[str, int], AnswerRow],
    after: dict[tuple[str, int], AnswerRow],
) -> Witness:
    both = range(min(len(own.before), len(own.after)))
    failing = [n for n in both if own.after[n] is not Verdict.PASS]
    flipped = [n for n in failing if own.before[n] is Verdict.PASS]
    sample = (flipped or failing)[0]
    first, second = before[own.prompt_id, sample], after[own.prompt_id, sample]
    return Witness(
        prompt_id=own.prompt_id,
        category=own.category,
        sample=sample,
        seed=evidence.post.contract.seed,
        contract_digest=evidence.post.contract.digest,
        base_digest=evidence.post.base_digest,
        adapter_digest=evidence.adapter_digest,
        before=first.answer,
        before_verdict=first.verdict,
        before_reason=first.reason,
        after=second.answer,
        after_verdict=second.verdict,
        after_reason=second.reason,
    )


def _by_key(rows: Sequence[AnswerRow], wanted: Collection[str]) -> dict[tuple[str, int], AnswerRow]:
    return {(row.prompt_id, row.sample): row for row in rows if row.prompt_id in wanted}
