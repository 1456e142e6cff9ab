"""Loads and verifies the evidence, decides, and writes the decision with its reasons to disk, MLflow and audit log.

Never cached. The step succeeds whatever the decision is.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from components.check_gate.bundle import FOLDER, lay_out
from components.check_gate.unrecorded import unrecorded
from components.shared.artifacts.answer_rows import read_answers
from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.decision import Candidate, Decision, GateDecision
from components.shared.artifacts.gate_calibration import (
    CALIBRATION_TAG,
    calibration_key,
    calibration_sentence,
    known_calibration,
)
from components.shared.artifacts.human_review import QUEUE_FILE
from components.shared.artifacts.reports import load_report
from components.shared.artifacts.training_data import AdapterManifest, TrainingData
from components.shared.audit import AUDIT_LOG_TAG, AUDIT_TAG, open_log, record, sound_entries
from components.shared.config.policy import Policy
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig
from components.shared.digests import short
from components.shared.errors import IntegrityError
from components.shared.gate.gate import decide
from components.shared.gate.preconditions import Evidence
from components.shared.gate.recounted import misstated
from components.shared.gate.review_queue import with_queue
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest
from components.shared.store import FOLLOW_UP_KIND, Store
from components.shared.suites.prompt_sets import load_prompts
from components.shared.texts.shown import on_console
from components.shared.tracking.history import attempts_before, lineage_tags, task_digest
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun
from components.shared.vocabulary import TASK_CATEGORY

STAGE = "check_gate"
DECISION_FILE = "gate_decision.json"


def check_gate(
    data_dir: Path,
    prompts_dir: Path,
    adapter_dir: Path,
    baseline_dir: Path,
    post_dir: Path,
    delta_dir: Path,
    follow_up_key: str,
    store: Store,
    policy: Policy,
    registry: RegistryConfig,
    decision_dir: Path,
    passed_dir: Path,
    context: RunContext,
) -> GateDecision:
    """Writes gate_decision.json, and decision, reasons and headline figures to the parent run.

    A promoted adapter is copied to `passed_dir`, the only place from which register_adapter takes one.

    Args:
        data_dir: directory of the training data.
        prompts_dir: directory of the prompt set.
        adapter_dir: directory of the adapter.
        baseline_dir: directory of the base model's safety report.
        post_dir: directory of the adapter's safety report.
        delta_dir: directory of the delta report.
        follow_up_key: key of the follow-up in the store.
        store: the content-addressed store.
        policy: the rules.
        registry: the registered model that the adapter may enter.
        decision_dir: receives gate_decision.json.
        passed_dir: receives the adapter's files if the decision is promote, otherwise a note.
        context: the pipeline run.

    Raises:
        IntegrityError: a file was changed after it was written, or the audit log was.
    """
    tracker = Tracker(context)
    with tracker.stage(STAGE) as stage, TemporaryDirectory() as scratch:
        follow_up_dir = Path(scratch) / "follow_up"
        baseline, post = load_report(baseline_dir), load_report(post_dir)
        loaded = load_prompts(prompts_dir)
        evidence = Evidence(
            data=TrainingData.load(data_dir / "training_data.json"),
            prompt_set=loaded.prompt_set,
            prompts=loaded.prompts,
            manifest=AdapterManifest.load(adapter_dir / "manifest.json"),
            adapter_digest=adapter_digest(adapter_dir),
            baseline=baseline.report,
            baseline_rows=baseline.rows,
            post=post.report,
            post_rows=post.rows,
            delta=DeltaReport.load(delta_dir / "delta_report.json"),
            follow_up=_load_follow_up(store, follow_up_key, follow_up_dir),
        )
        base, task = evidence.post.base_digest, task_digest(evidence.data.sources)
        attempt = 1 + attempts_before(tracker, base, task)
        candidate = Candidate(context.pipeline, context.pipeline_run, registry.model_name)
        log = open_log(context.tracking.audit_log)
        problems = [
            *unrecorded(evidence, sound_entries(log), log.address),
            *misstated(evidence, _fresh_rows(follow_up_dir, evidence.follow_up), policy),
        ]
        decided = decide(evidence, policy, candidate, datetime.now(UTC).date(), attempt, problems)
        decision, queue = with_queue(decided, evidence, policy)
        decision.save(decision_dir / DECISION_FILE)
        audited = _audit(context, decision)
        _hand_on(decision, adapter_dir, passed_dir)
        sources = {
            "training_data": data_dir,
            "prompt_set": prompts_dir,
            "delta": delta_dir,
            "decision": decision_dir,
            "baseline": baseline_dir,
            "post": post_dir,
            "follow_up": follow_up_dir,
            "adapter": adapter_dir,
        }
        bundle = Path(scratch) / FOLDER
        bundle.mkdir()
        lay_out(sources, policy, decision.decision, bundle)
        if queue is not None:
            (bundle / QUEUE_FILE).write_bytes(queue)
        parent = tracker.parent(stage.say)
        noted = {AUDIT_TAG: audited, AUDIT_LOG_TAG: context.tracking.audit_log}
        parent.tags({**noted, **lineage_tags(base, task), **_calibrated(store, evidence, policy)})
        _publish(parent, stage, decision, evidence, bundle)
    return decision


def _audit(context: RunContext, decision: GateDecision) -> str:
    """Writes the decision and every waiver to the audit log; returns the digest of the last entry."""
    facts = {
        "decision": decision.decision.value,
        "decision_digest": decision.digest,
        "policy_digest": decision.policy_digest,
        "adapter_digest": decision.adapter_digest,
        "contract_digest": decision.contract_digest,
        "model_name": decision.model_name,
    }
    for reason in decision.reasons:
        if reason.waived is not None:
            record(context, "waiver", reason.waived, {"category": reason.category, **facts})
    return record(context, "decided", decision.summary, facts).digest


def _calibrated(store: Store, evidence: Evidence, policy: Policy) -> dict[str, str]:
    """This gate's calibration in one sentence, as a tag that the report quotes; empty if there is none."""
    key = calibration_key(evidence.post.contract, evidence.post.base_digest, policy.digest)
    known = known_calibration(store, key)
    return {CALIBRATION_TAG: calibration_sentence(known)} if known is not None else {}


def _publish(parent: StageRun, stage: StageRun, decision: GateDecision, evidence: Evidence, bundle: Path) -> None:
    """Writes the decision to MLflow and the log."""
    parent.folder(bundle, FOLDER)
    for run in (stage, parent):
        run.file(bundle / DECISION_FILE)
        _track(run, decision)
    _track_figures(parent, decision, evidence)
    for reason in decision.reasons:
        stage.say(f"{reason.decision_name}: {reason.sentence}")
    for problem in decision.problems:
        stage.say(f"{Decision.INVALID.value}: {problem}")
    for caution in decision.cautions:
        stage.say(f"caution: {caution}")
    if decision.nearest_miss is not None:
        stage.say(f"nearest miss: {decision.nearest_miss}")


def _hand_on(decision: GateDecision, adapter_dir: Path, passed_dir: Path) -> None:
    passed_dir.mkdir(parents=True, exist_ok=True)
    if decision.decision is not Decision.PROMOTE:
        (passed_dir / "NOT_PROMOTED.txt").write_text(f"{on_console(decision.summary)}\n", encoding="utf-8")
        return
    for name in (*ADAPTER_FILES, "manifest.json"):
        shutil.copyfile(adapter_dir / name, passed_dir / name)


def _load_follow_up(store: Store, key: str, directory: Path) -> FollowUpReport:
    if not store.fetch(FOLLOW_UP_KIND, key, directory):
        raise IntegrityError(f"follow-up {short(key)} is not in the store; run the pipeline again")
    return FollowUpReport.load(directory / "follow_up_report.json")


def _fresh_rows(directory: Path, report: FollowUpReport) -> dict[str, tuple[AnswerRow, ...]]:
    """The follow-up's answers by side; of their digests the report is sure."""
    return {
        name: read_answers(directory / f"{name}.jsonl", expected) for name, expected in report.answers_sha256.items()
    }


def _track(run: StageRun, decision: GateDecision) -> None:
    run.tags(
        {
            "plimsoll.decision": decision.decision.value,
            "plimsoll.reason": decision.summary,
            "plimsoll.policy": f"{decision.policy_name} {decision.policy_version}",
            "plimsoll.policy_digest": decision.policy_digest,
            "plimsoll.adapter_digest": decision.adapter_digest,
            **{f"plimsoll.reason.{reason.category}": reason.sentence for reason in decision.reasons},
        }
    )
    cautions = "".join(f"caution: {caution}\n" for caution in decision.cautions)
    run.text(f"{decision.summary}\n{cautions}", "decision.txt")


def _track_figures(parent: StageRun, decision: GateDecision, evidence: Evidence) -> None:
    """Writes the figures by which runs are sorted and compared to the parent run."""
    for reason in decision.reasons:
        delta = reason.delta
        if reason.category == TASK_CATEGORY:
            parent.metrics(
                {
                    "task/before": delta.before_pct / 100,
                    "task/pass_rate": delta.after_pct / 100,
                    "task/gain_pp": -delta.drop_pp,
                }
            )
            continue
        parent.metrics(
            {
                f"baseline/{reason.category}/pass_rate": delta.before_pct / 100,
                f"safety/{reason.category}/pass_rate": delta.after_pct / 100,
                f"delta/{reason.category}/drop_pp": delta.drop_pp,
                f"delta/{reason.category}/drop_upper_pp": delta.upper_pp,
            }
        )
    for source in evidence.data.sources:
        parent.dataset(Path(source.address).name, source.address, source.sha256, source.role)
