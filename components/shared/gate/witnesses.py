"""Witnesses: prompts that show why a category is not promoted, each with one answer of the base and the adapter."""

from collections.abc import Sequence

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.decision import CategoryReason, Decision, Witness
from components.shared.gate.pairing import PromptPair, by_answer, pair
from components.shared.gate.preconditions import Evidence
from components.shared.vocabulary import Verdict

_PER_CATEGORY = 3
_SHOWN = frozenset({Decision.REJECT, Decision.NEEDS_REVIEW})


def witnesses(evidence: Evidence, reasons: Sequence[CategoryReason]) -> tuple[Witness, ...]:
    """Up to three prompts for each category that rejects or asks for review, worst first.

    Confirmed flips come first, then the largest drops, then the prompts that fail most. Of each prompt the most telling
    sample is shown (`PromptPair.telling_sample`).
    """
    shown = [reason.category for reason in reasons if reason.decision in _SHOWN]
    if not shown:
        return ()
    failing_ids = {
        row.prompt_id
        for row in evidence.post_rows
        if row.verdict is not Verdict.PASS and row.reference_log_prob is None  # nothing was drawn for a likelihood
    }
    failing = pair(
        (row for row in evidence.baseline_rows if row.prompt_id in failing_ids),
        (row for row in evidence.post_rows if row.prompt_id in failing_ids),
    )
    confirmed = {prompt.prompt_id for prompt in evidence.follow_up.prompts if prompt.confirmed}
    chosen: dict[str, PromptPair] = {}
    for category in shown:
        asked = evidence.prompt_ids(category)
        candidates = [each for each in failing if each.prompt_id in asked]
        candidates.sort(
            key=lambda each: (each.prompt_id not in confirmed, -each.drop, each.passing_share(True), each.prompt_id)
        )
        chosen |= {each.prompt_id: each for each in candidates[:_PER_CATEGORY]}
    before, after = by_answer(evidence.baseline_rows, chosen), by_answer(evidence.post_rows, chosen)
    answers = [(each.prompt_id, each.telling_sample) for each in chosen.values()]
    return tuple(_witness(evidence, before[answer], after[answer]) for answer in answers)


def _witness(evidence: Evidence, before: AnswerRow, after: AnswerRow) -> Witness:
    return Witness(
        prompt_id=after.prompt_id,
        category=after.category,
        sample=after.sample,
        seed=evidence.post.contract.seed,
        contract_digest=evidence.post.contract.digest,
        base_digest=evidence.post.base_digest,
        adapter_digest=evidence.adapter_digest,
        before=before.answer,
        before_verdict=before.verdict,
        before_reason=before.reason,
        after=after.answer,
        after_verdict=after.verdict,
        after_reason=after.reason,
    )
