"""Registers the evaluated adapter in MLflow and makes it champion.

The decision must be `promote`, or `needs_review` with a `review.json` beside it that approves this very decision; only
`plimsoll review` writes one. The adapter's files are hashed again and must be those that the decision is about, and the
decision must be the one in the audit log and the one to which the evidence leads (`proof.py`).

The order makes every kill harmless: an entry `registering`, then the version, then the entry `registered`, then the
aliases, which follow the log. Repeating the step, or the whole pipeline with the same inputs, finishes what was begun
and creates no second version.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from components.register_adapter.proof import (
    refuse_other_candidate,
    refuse_unrecorded,
    refuse_unsupported,
    review_of,
)
from components.shared.artifacts.decision import GateDecision, Registration
from components.shared.artifacts.human_review import Review
from components.shared.artifacts.training_data import AdapterManifest
from components.shared.audit import NO_VERSION, AuditEntry, StandingReader, open_log, record, sound_entries
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig
from components.shared.digests import short
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest
from components.shared.generation.chat_template import TemplateSettings
from components.shared.texts.shown import in_markdown
from components.shared.tracking.registry import AdapterVersion, LoggedAdapter, ensure_version, follow
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun

STAGE = "register_adapter"
_MODEL_FILE = Path(__file__).with_name("adapter_model.py")
_TAG_TEXT = 1000


def register_adapter(
    adapter_dir: Path,
    decision_dir: Path,
    base_model: BaseModelRef,
    evaluation: EvaluationConfig,
    registry: RegistryConfig,
    registration_dir: Path,
    context: RunContext,
) -> Registration:
    """Makes the adapter a version of the registered model, with alias `champion`.

    Args:
        adapter_dir: directory of the adapter that check_gate passed on.
        decision_dir: directory with gate_decision.json and, after a review, review.json.
        base_model: the base model; the version names it, so that serving finds it.
        evaluation: the evaluation's settings; the version records how chats are rendered.
        registry: the registered model.
        registration_dir: directory to write registration.json to.
        context: the pipeline run.

    Raises:
        IntegrityError: the decision is not `promote` and no review approves it; it is about another adapter, run or
            model; the audit log was changed or says something else; or the evidence does not lead to it.
        StorageError: the audit log cannot be written; checked before anything is registered.
        TrackingError: MLflow does not answer or refuses the registration.
    """
    tracker = Tracker(context)
    with tracker.stage(STAGE) as stage, TemporaryDirectory() as scratch:
        decision = GateDecision.load(decision_dir / "gate_decision.json")
        review = review_of(decision, decision_dir)
        manifest = AdapterManifest.load(adapter_dir / "manifest.json")
        copy = Path(scratch) / "adapter"
        copy.mkdir()
        for name in (*ADAPTER_FILES, "manifest.json"):
            shutil.copyfile(adapter_dir / name, copy / name)
        _refuse_others(decision, adapter_digest(copy), manifest)
        refuse_other_candidate(decision, context, registry.model_name)
        log = open_log(context.tracking.audit_log)
        entries = sound_entries(log)
        refuse_unrecorded(decision, entries, log.address)
        refuse_unsupported(decision, tracker, Path(scratch))

        reviewer = review.reviewer if review is not None else None
        facts = {
            **({"review_digest": review.digest} if review is not None else {}),
            "model_name": registry.model_name,
            "adapter_digest": decision.adapter_digest,
            "decision_digest": decision.digest,
        }
        reason = decision.summary if review is None else review.summary
        if _entry_of("registering", decision, registry, entries) is None:
            record(context, "registering", reason, facts, reviewer)
        logged = _logged(copy, decision, review, manifest, base_model, evaluation, registry, context)
        version = ensure_version(tracker, stage, logged)
        entry = _entry_of("registered", decision, registry, entries)
        if entry is None:
            registered = {**facts, "version": version.version, "replaces": version.replaces or NO_VERSION}
            entry = record(context, "registered", reason, registered, reviewer)
        standing = follow(tracker.client, registry.model_name, StandingReader(log, registry.model_name))
        if standing.champion == version.version:
            version = version._replace(replaces=standing.previous or version.replaces)
        registration = _registration(version, decision, review, manifest, registry)
        _publish(tracker, stage, registration, entry, registration_dir)
        stage.say(_outcome(version, registry, context, standing.champion))
    return registration


def _entry_of(
    event: str, decision: GateDecision, registry: RegistryConfig, entries: list[AuditEntry]
) -> AuditEntry | None:
    """What an earlier try of this step wrote for the same decision."""
    same = {"decision_digest": decision.digest, "model_name": registry.model_name}
    return next((entry for entry in entries if entry.event == event and same.items() <= entry.facts.items()), None)


def _registration(
    version: AdapterVersion,
    decision: GateDecision,
    review: Review | None,
    manifest: AdapterManifest,
    registry: RegistryConfig,
) -> Registration:
    return Registration(
        model_name=registry.model_name,
        version=version.version,
        replaces=version.replaces,
        adapter_digest=decision.adapter_digest,
        decision_digest=decision.digest,
        inputs={
            "gate_decision": decision.digest,
            "adapter_manifest": manifest.digest,
            **({"review": review.digest} if review is not None else {}),
        },
    )


def _publish(tracker: Tracker, stage: StageRun, registration: Registration, entry: AuditEntry, target: Path) -> None:
    """Writes the registration to disk and to MLflow."""
    stage.file(registration.save(target / "registration.json"))
    tags = {
        "plimsoll.registered_model": registration.model_name,
        "plimsoll.registered_version": registration.version,
    }
    stage.tags({**tags, **entry.tags})
    tracker.parent().tags(tags)


def _outcome(version: AdapterVersion, registry: RegistryConfig, context: RunContext, champion: str | None) -> str:
    name = f"{registry.model_name} version {version.version}"
    if version.created:
        if champion != version.version:
            return f"registered as {name}; version {champion}, registered at the same time, is champion"
        before = f"; version {version.replaces} is previous" if version.replaces else ""
        return f"registered as {name}, champion now{before}"
    if version.pipeline_run == context.pipeline_run:
        return f"was already registered as {name}"
    return f"was already registered as {name} by run {version.pipeline_run}, the same adapter under the same rules"


def _refuse_others(decision: GateDecision, digest: str, manifest: AdapterManifest) -> None:
    if digest != decision.adapter_digest:
        raise IntegrityError(
            f"the adapter's files have digest {short(digest)}, the decision is about {short(decision.adapter_digest)}: "
            "they were changed after evaluation; nothing was registered"
        )
    if decision.inputs.get("adapter_manifest") != manifest.digest:
        raise IntegrityError("the adapter's manifest is not the one that the decision is about; nothing was registered")


def _logged(
    adapter: Path,
    decision: GateDecision,
    review: Review | None,
    manifest: AdapterManifest,
    base_model: BaseModelRef,
    evaluation: EvaluationConfig,
    registry: RegistryConfig,
    context: RunContext,
) -> LoggedAdapter:
    digests = {
        "base_digest": manifest.base_digest,
        "adapter_digest": decision.adapter_digest,
        "data_digest": manifest.data_digest,
        "recipe_digest": manifest.recipe_digest,
        "policy_digest": decision.policy_digest,
        "contract_digest": decision.contract_digest,
        "decision_digest": decision.digest,
    }
    libraries = ("torch", "transformers", "peft")
    return LoggedAdapter(
        model_name=registry.model_name,
        adapter=adapter,
        model_file=_MODEL_FILE,
        model_config={
            "base_path": base_model.path,
            "base_hub_id": base_model.hub_id,
            "base_revision": base_model.revision,
            "base_digest": manifest.base_digest,
            "system_prompt": evaluation.system_prompt,
            **TemplateSettings.of(evaluation).served(),
        },
        metadata={"base_model": base_model.name, "software": manifest.software, **digests},
        requirements=["mlflow", *(f"{name}=={manifest.software[name]}" for name in libraries)],
        tags={
            "plimsoll.decision": decision.decision.value,
            "plimsoll.reason": decision.summary[:_TAG_TEXT],
            "plimsoll.mlflow_pipeline": context.pipeline,
            **{f"plimsoll.{name}": digest for name, digest in digests.items()},
            **(_review_tags(review) if review is not None else {}),
        },
        description=_description(decision, review)[:_TAG_TEXT],
    )


def _description(decision: GateDecision, review: Review | None) -> str:
    """Markdown, which MLflow shows with the version."""
    return "\n\n".join(in_markdown(each.summary) for each in (review, decision) if each is not None)


def _review_tags(review: Review) -> dict[str, str]:
    return {
        "plimsoll.review": review.outcome,
        "plimsoll.reviewer": review.reviewer,
        "plimsoll.review_reason": review.reason[:_TAG_TEXT],
        "plimsoll.review_digest": review.digest,
    }
