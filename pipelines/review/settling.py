"""Writes a review as an artifact, keeps it on the run and in the audit log, and gives it its effect.

The gate's decision stays as it is. An approval registers the adapter through register_adapter, which checks decision
and review once more; a refusal registers nothing. A review that was kept but not finished (the process was killed, the
store was down) is finished by the next call, and cannot be changed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from components.shared.artifacts.decision import Registration
from components.shared.artifacts.human_review import REVIEW_FILE, Review, ReviewVerdict
from components.shared.audit import open_log, record
from components.shared.errors import ConfigError
from components.shared.generation.adapters import ADAPTER_FILES
from components.shared.tracking.reviews import finish_review, write_review
from pipelines.review.case import DECISION_FILE, ReviewCase, refuse_unapprovable
from pipelines.review.labels import ReviewedLabel, agreement, keep_labels

ReviewOutcome = Literal["approved", "refused"]


def make_review(
    case: ReviewCase,
    outcome: ReviewOutcome,
    reviewer: str,
    reason: str,
    verdicts: Mapping[tuple[str, int], ReviewVerdict],
) -> Review:
    """The review as an artifact, not kept anywhere yet.

    Args:
        case: what was reviewed.
        outcome: whether the adapter is approved.
        reviewer: name of the reviewer.
        reason: for the outcome, a sentence.
        verdicts: on single answers, by prompt id and sample.

    Raises:
        ConfigError: name or reason is empty, or the case cannot be approved.
    """
    for what, text in (("--name", reviewer), ("--reason", reason)):
        if not text.strip():
            raise ConfigError(f"{what} is {text!r}; a review needs a name and a reason")
    if outcome == "approved":
        refuse_unapprovable(case)
    in_order = tuple(verdicts[item.key] for item in case.queue if item.key in verdicts)
    queue_sha256 = str(case.decision.queue_sha256)
    return Review(
        outcome=outcome,
        reviewer=reviewer.strip(),
        reason=" ".join(reason.split()),
        reviewed_at=datetime.now(UTC).replace(microsecond=0),
        decision_digest=case.decision.digest,
        adapter_digest=case.decision.adapter_digest,
        queue_sha256=queue_sha256,
        queued=len(case.queue),
        verdicts=in_order,
        agreement=agreement(_labels(case, in_order, reviewer), Path(case.config.evaluation.judge_checks)),
        inputs={"gate_decision": case.decision.digest, "review_queue": queue_sha256},
    )


def settle(case: ReviewCase, review: Review) -> Registration | None:
    """Keeps a review and gives it its effect; returns the registration after an approval.

    Calling it again after a failure repeats nothing that was done.

    Raises:
        StorageError: audit log or labels cannot be written; checked before anything is kept.
        IntegrityError: register_adapter refuses the adapter.
    """
    log = open_log(case.run.context.tracking.audit_log)
    log.check()
    keep_labels(Path(case.config.evaluation.judge_checks), _labels(case, review.verdicts, review.reviewer))
    if case.unfinished is None:
        write_review(case.run, review)
    facts = {
        "outcome": review.outcome,
        "review_digest": review.digest,
        "decision_digest": review.decision_digest,
        "adapter_digest": review.adapter_digest,
        "labelled": f"{review.labelled} of {review.queued}",
    }
    if not any(
        entry.event == "review" and entry.facts.get("review_digest") == review.digest for entry in log.entries()
    ):
        case.run.parent.tags(record(case.run.context, "review", review.summary, facts, review.reviewer).tags)
    registration = _register(case, review) if review.outcome == "approved" else None
    finish_review(case.run, review)
    return registration


def _labels(case: ReviewCase, verdicts: Sequence[ReviewVerdict], reviewer: str) -> list[ReviewedLabel]:
    items = {item.key: item for item in case.queue}
    return [
        ReviewedLabel(
            judge=verdict.judge,
            pipeline_run=case.run.context.pipeline_run,
            prompt_id=verdict.prompt_id,
            sample=verdict.sample,
            system=item.system,
            prompt=item.prompt,
            answer=item.after.answer,
            verdict=verdict.judged,
            label=verdict.verdict,
            reviewer=reviewer.strip(),
        )
        for verdict in verdicts
        if verdict.verdict is not None and (item := items[verdict.prompt_id, verdict.sample])
    ]


def _register(case: ReviewCase, review: Review) -> Registration:
    """Runs the registering step for the reviewed run, as in the graph."""
    from kfp import dsl

    from components.register_adapter.component import register_adapter

    config = case.config
    with TemporaryDirectory() as scratch:
        decided, adapter, registered = (Path(scratch) / name for name in ("decision", "adapter", "registered"))
        adapter.mkdir()
        for name in (*ADAPTER_FILES, "manifest.json"):
            (adapter / name).write_bytes((case.evidence / "adapter" / name).read_bytes())
        case.decision.save(decided / DECISION_FILE)
        review.save(decided / REVIEW_FILE)
        register_adapter.python_func(
            adapter=dsl.Model(uri=str(adapter)),
            gate_decision=dsl.Artifact(uri=str(decided)),
            registration=dsl.Artifact(uri=str(registered)),
            base_model=config.base_model.model_dump_json(),
            evaluation=config.evaluation.model_dump_json(),
            registry=config.registry.model_dump_json(),
            tracking=case.run.context.tracking.model_dump_json(),
            pipeline=case.run.context.pipeline,
            pipeline_run=case.run.context.pipeline_run,
        )
        return Registration.load(registered / "registration.json")
