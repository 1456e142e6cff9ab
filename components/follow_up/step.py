"""Asks again on both sides: fresh answers to prompts that look worse, and variants of prompts in flagged categories.

Fresh answers decide whether a prompt newly fails. They are drawn with a new seed, because the answers that made the
prompt look worse are a biased sample. Variants show how far and in which ways a flagged category fails; they decide
nothing. The model is loaded once: for the base's answers the adapter is switched off. If there is nothing to ask, no
model is loaded and the report is empty.
"""

from pathlib import Path
from typing import NamedTuple

from components.follow_up.asker import Asker
from components.follow_up.frames import FRAMES_DIGEST
from components.follow_up.rounds import ask_fresh, ask_variants
from components.follow_up.variants import Variant, plan_variants
from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.reports import load_report
from components.shared.artifacts.safety_report import SafetyReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.audit import AuditEntry, record
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.run_context import RunContext
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError
from components.shared.gate.flagged import flagged_categories
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest, locate_base_model
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.judges.assemble import panel_of
from components.shared.store import FOLLOW_UP_KIND, Store
from components.shared.suites.prompt_sets import load_prompts
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun

STAGE = "follow_up"


def follow_up(
    delta_dir: Path,
    post_dir: Path,
    prompts_dir: Path,
    adapter_dir: Path,
    base_model: BaseModelRef,
    evaluation: EvaluationConfig,
    policy: Policy,
    store: Store,
    reuse: bool,
    follow_up_dir: Path,
    context: RunContext,
) -> str:
    """Writes follow_up_report.json and the rows of all answers, to the directory and to the store.

    Fresh answers are in before.jsonl and after.jsonl, answers to variants in variants_before.jsonl and
    variants_after.jsonl, with ids such as `d-017~persona`.

    Args:
        delta_dir: directory of the delta report, which names the escalated prompts and the drop of every category.
        post_dir: directory of the adapter's safety report.
        prompts_dir: directory of the prompt set.
        adapter_dir: directory of the adapter.
        base_model: the base model.
        evaluation: how the model is asked; the follow-up changes seed and number of answers.
        policy: gives the follow-up rule, the attention level and the confidence.
        store: the content-addressed store; check_gate reads the follow-up from it.
        reuse: whether a finished follow-up is taken from the store.
        follow_up_dir: receives the files.
        context: the pipeline run.

    Returns:
        Key of the follow-up in the store. The gate gets the key, not the artifact, because in a local run an artifact
        cannot leave a branch of the graph.

    Raises:
        IntegrityError: an input was changed, or the adapter is not the one that was evaluated.
        ModelError: the model cannot be loaded or asked.
    """
    with Tracker(context).stage(STAGE) as stage:
        delta = DeltaReport.load(delta_dir / "delta_report.json")
        after = load_report(post_dir).report
        if adapter_digest(adapter_dir) != after.adapter_digest:
            raise IntegrityError(f"{adapter_dir}: is not the adapter that was evaluated")
        key = _key(delta, after, policy)
        if reuse and store.fetch(FOLLOW_UP_KIND, key, follow_up_dir):
            report = FollowUpReport.load(follow_up_dir / "follow_up_report.json")
            stage.say(f"reusing {len(report.prompts)} followed-up prompts (same delta, same policy)")
        else:
            report = FollowUpReport(
                adapter_digest=after.adapter_digest,
                contract_digest=delta.contract_digest,
                alpha=policy.flip_alpha,
                prompts=(),
                answers_sha256={},
                inputs={"delta": delta.digest, "post": after.digest},
            )
            escalated, variants = _plan(delta, prompts_dir, policy, evaluation.samples_per_prompt, stage)
            if escalated or variants:
                base = locate_base_model(base_model)
                if base_digest(base) != after.base_digest:
                    raise IntegrityError(f"base model {base_model.name}: is not the one that was evaluated")
                engine = TransformersEngine.of(base, adapter_dir, evaluation, stage.say)
                panel = panel_of(evaluation, store.address_of("judge-replies"), stage.say, store.signing_key)
                asker = Asker(engine, panel, evaluation, after.coherence_floor)
                report = ask_fresh(asker, escalated, report, policy.follow_up, follow_up_dir, stage.say)
                report = ask_variants(asker, variants, report, follow_up_dir, stage.say)
            report.save(follow_up_dir / "follow_up_report.json")
            store.put(FOLLOW_UP_KIND, key, follow_up_dir)
        _track(stage, report, follow_up_dir)
        stage.tags(_audit(context, report).tags)
    return key


def _audit(context: RunContext, report: FollowUpReport) -> AuditEntry:
    facts = {
        "follow_up_digest": report.digest,
        "delta_digest": report.inputs["delta"],
        "adapter_digest": report.adapter_digest,
        "contract_digest": report.contract_digest,
    }
    confirmed = sum(prompt.confirmed for prompt in report.prompts)
    why = f"{confirmed} of {len(report.prompts)} prompts fail on fresh answers, too."
    return record(context, "followed_up", why, facts)


def _key(delta: DeltaReport, after: SafetyReport, policy: Policy) -> str:
    """The follow-up's key in the store: a digest of everything that its result depends on."""
    made_from = [delta.digest, after.base_digest, policy.follow_up.model_dump(), policy.flip_alpha]
    if policy.follow_up.variant_answers:
        made_from += [policy.attention_drop_pp, FRAMES_DIGEST]
    return digest_json(made_from)


class _ToAsk(NamedTuple):
    """The escalated prompts and the variants."""

    escalated: list[SuitePrompt]
    variants: list[Variant]


def _plan(delta: DeltaReport, prompts_dir: Path, policy: Policy, samples: int, stage: StageRun) -> _ToAsk:
    budget = policy.follow_up.variant_answers
    flagged = flagged_categories(delta, policy) if budget else ()
    if not delta.escalated and not flagged:
        return _ToAsk([], [])
    prompts = load_prompts(prompts_dir).prompts
    chosen = {escalated.prompt_id for escalated in delta.escalated}
    variants = plan_variants(prompts, delta, flagged, budget, samples)
    for category in sorted(set(flagged) - {variant.prompt.category for variant in variants}):
        stage.say(f"{category}: looks worse, but no variant of its prompts is asked (budget or expectation)")
    return _ToAsk([prompt for prompt in prompts if prompt.id in chosen], variants)


def _track(stage: StageRun, report: FollowUpReport, directory: Path) -> None:
    confirmed = sum(prompt.confirmed for prompt in report.prompts)
    failed = {
        f"follow_up/{figures.category}/{figures.variant}/failed_{side}_pct": share
        for figures in report.variants
        for side, share in (("before", figures.failed_before_pct), ("after", figures.failed_after_pct))
    }
    stage.metrics({"follow_up/prompts": len(report.prompts), "follow_up/confirmed": confirmed, **failed})
    for path in sorted(directory.iterdir()):
        stage.file(path)
    stage.say(f"{confirmed} of {len(report.prompts)} flips are confirmed on fresh answers")
    if report.variants:
        worst = max(report.variants, key=lambda figures: figures.failed_after_pct - figures.failed_before_pct)
        stage.say(
            f"worst variant: {worst.category} {worst.variant} fails {worst.failed_before_pct:.0f} % before, "
            f"{worst.failed_after_pct:.0f} % after"
        )
