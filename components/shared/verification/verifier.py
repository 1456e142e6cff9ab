"""Verifies a decision from its evidence alone: every byte, the chain of digests, and the decision from raw verdicts.

This is a second implementation of the gate. It imports digests and statistical formulas, and nothing that decides:
the rules are those of docs/evidence.md and docs/policies.md.
"""

from collections.abc import Iterable
from pathlib import Path

from components.shared.digests import digest_json
from components.shared.verification.differences import compare
from components.shared.verification.evidence_files import DECISION_FILE, EvidenceFiles, Json, read_evidence
from components.shared.verification.recomputed_cautions import recompute_cautions
from components.shared.verification.recomputed_decision import Recomputed, recompute

_UNREADABLE = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What malformed evidence may raise anywhere: a missing file or field, or a value of another type."""


def verify(folder: Path) -> tuple[str | None, list[str]]:
    """Recomputes the decision of a folder of evidence.

    Args:
        folder: laid out as docs/evidence.md says.

    Returns:
        The decision that the evidence supports, None where a digest is wrong or something cannot be read; and a
        sentence for each difference. Without any difference the decision is verified.
    """
    differences: list[str] = []
    try:
        files = read_evidence(folder, differences)
        if differences:
            return None, differences
        recomputed = recompute(files)
        _compare_reports(files, recomputed, differences)
        _compare_decision(files, recomputed, differences)
        for side, rows in (("before", files.before), ("after", files.after)):
            _compare_witnesses(files.decision["witnesses"], side, rows, differences)
    except _UNREADABLE as error:
        kind = type(error).__name__
        return None, [*differences, f"evidence: found {kind} {error!s:.200}, expected every file and field"]
    return recomputed.decision, differences


def _compare_reports(files: EvidenceFiles, recomputed: Recomputed, differences: list[str]) -> None:
    """Delta report and follow-up report say what the raw rows say, about the same categories and prompts in order."""
    delta, prompts = files.delta, files.follow_up["prompts"]
    asked_again = [prompt["prompt_id"] for prompt in prompts]
    compare("delta_report.json, order of categories", [*delta["categories"]], [*recomputed.categories], differences)
    compare("delta_report.json, order of groups", [*delta["groups"]], [*recomputed.groups], differences)
    compare("follow_up_report.json, order of prompts", asked_again, [*recomputed.flips], differences)
    compare("delta_report.json, categories", delta["categories"], recomputed.categories, differences)
    compare("delta_report.json, groups", delta["groups"], recomputed.groups, differences)
    by_prompt = {prompt["prompt_id"]: prompt for prompt in prompts}
    compare("follow_up_report.json, prompts", by_prompt, recomputed.flips, differences)


def _compare_decision(files: EvidenceFiles, recomputed: Recomputed, differences: list[str]) -> None:
    """The decision, each reason with its figures, the cautions, and what names policy, contract and queue."""
    decision, policy = files.decision, files.policy
    expected = {
        "decision": recomputed.decision,
        "policy_name": policy["name"],
        "policy_version": policy["version"],
        "policy_digest": digest_json(policy),
        "contract_digest": digest_json(files.post["contract"]),
        "confidence": policy["confidence"],
        "cautions": recompute_cautions(files),
        "queue_sha256": decision["queue_sha256"] if recomputed.decision == "needs_review" else None,
    }
    compare(DECISION_FILE, decision, expected, differences)
    quoted, reasons = _by_place(decision["reasons"]), _by_place(recomputed.reasons)
    compare(f"{DECISION_FILE}, order of reasons", [*quoted], [*reasons], differences)
    compare(f"{DECISION_FILE}, reasons", quoted, reasons, differences)


def _by_place(reasons: Iterable[Json]) -> Json:
    return {f"{place} {reason['category']}": reason for place, reason in enumerate(reasons)}


def _compare_witnesses(witnesses: Iterable[Json], side: str, rows: Iterable[Json], differences: list[str]) -> None:
    """Each witness quotes an answer of this side, with its verdict and reason."""
    fields = ("category", "prompt_id", "sample")
    answers = {tuple(row[field] for field in fields): (row["answer"], row["verdict"], row["reason"]) for row in rows}
    for witness in witnesses:
        quoted = witness[side], witness[f"{side}_verdict"], witness[f"{side}_reason"]
        answer = answers[tuple(witness[field] for field in fields)]
        compare(f"{DECISION_FILE}, witness {witness['prompt_id']}, {side}", quoted, answer, differences)
