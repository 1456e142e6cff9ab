"""Registers the evaluated adapter in MLflow and makes it champion.

The decision must be `promote`, or `needs_review` with a `review.json` beside it that approves this very decision; only
`plimsoll review` writes one. The adapter's files are hashed again and must be those that the decision is about.
Repeating the step for the same pipeline run creates no second version.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from components.shared.artifacts.decision import Decision, GateDecision, Registration
from components.shared.artifacts.human_review import REVIEW_FILE, Review, why_not_approvable
from components.shared.artifacts.training_data import AdapterManifest
from components.shared.audit import open_log, record
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig
from components.shared.digests import short
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest
from components.shared.generation.chat_template import TemplateSettings
from components.shared.texts.shown import in_markdown
from components.shared.tracking.registry import LoggedAdapter, promote
from components.shared.tracking.runs import Tracker

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
        IntegrityError: the decision is not `promote` and no review approves it, or it is about another adapter.
        StorageError: the audit log cannot be written; checked before anything is registered.
        TrackingError: MLflow does not answer or refuses the registration.
    """
    tracker = Tracker(context)
    with tracker.stage(STAGE) as stage:
        decision = GateDecision.load(decision_dir / "gate_decision.json")
        review = _review_of(decision, decision_dir)
        manifest = AdapterManifest.load(adapter_dir / "manifest.json")
        with TemporaryDirectory() as directory:
            copy = Path(directory) / "adapter"
            copy.mkdir()
            for name in (*ADAPTER_FILES, "manifest.json"):
                shutil.copyfile(adapter_dir / name, copy / name)
            digest = adapter_digest(copy)
            _refuse_others(decision, digest, manifest)
            open_log(context.tracking.audit_log).check()
            promotion = promote(
                tracker,
                stage,
                _logged(copy, decision, review, manifest, base_model, evaluation, registry, context),
            )
        registration = Registration(
            model_name=registry.model_name,
            version=promotion.version,
            replaces=promotion.replaces,
            adapter_digest=digest,
            decision_digest=decision.digest,
            inputs={
                "gate_decision": decision.digest,
                "adapter_manifest": manifest.digest,
                **({"review": review.digest} if review is not None else {}),
            },
        )
        stage.file(registration.save(registration_dir / "registration.json"))
        registered = {
            "plimsoll.registered_model": registration.model_name,
            "plimsoll.registered_version": registration.version,
        }
        stage.tags(registered)
        tracker.parent().tags(registered)
        facts = {
            **({"review_digest": review.digest} if review is not None else {}),
            "model_name": registration.model_name,
            "version": registration.version,
            "replaces": registration.replaces or "none",
            "adapter_digest": digest,
            "decision_digest": decision.digest,
        }
        reason = decision.summary if review is None else review.summary
        if not promotion.created:
            reason = f"Repeated by the same run: {reason}"
        reviewer = review.reviewer if review is not None else None
        stage.tags(record(context, "registered", reason, facts, reviewer).tags)
        verb = "registered as" if promotion.created else "was already registered as"
        before = f"; version {promotion.replaces} is previous" if promotion.replaces else ""
        stage.say(f"{verb} {registration.model_name} version {registration.version}, champion now{before}")
    return registration


def _review_of(decision: GateDecision, directory: Path) -> Review | None:
    """The review that approves a decision; None for `promote`, which needs none.

    Raises:
        IntegrityError: the decision is not `promote` and no review approves it.
    """
    if decision.decision is Decision.PROMOTE:
        return None
    path = directory / REVIEW_FILE
    if decision.decision is not Decision.NEEDS_REVIEW or not path.exists():
        raise IntegrityError(f"the decision is {decision.decision.value!r}, expected 'promote'; nothing was registered")
    review = Review.load(path)
    if review.decision_digest != decision.digest or review.adapter_digest != decision.adapter_digest:
        raise IntegrityError(
            f"the review of {review.reviewer} is about decision {short(review.decision_digest)}, not about "
            f"{short(decision.digest)}; nothing was registered"
        )
    if review.outcome != "approved":
        raise IntegrityError(f"{review.reviewer} refused the adapter: {review.reason}; nothing was registered")
    if (problem := why_not_approvable(decision)) is not None:
        raise IntegrityError(f"a review cannot let this adapter in: {problem}; nothing was registered")
    return review


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
