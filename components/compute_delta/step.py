"""The drop of every category, with bounds, and the prompts that look worse.

If the two sides cannot be compared, the report says why and the step succeeds; the gate then decides `invalid`.
"""

from pathlib import Path

from components.shared.artifacts.comparison import DeltaReport
from components.shared.artifacts.reports import load_report
from components.shared.audit import AuditEntry, record
from components.shared.config.base_model import BaseModelRef
from components.shared.config.policy import Policy
from components.shared.config.run_context import RunContext
from components.shared.gate.ancestry import ancestry, load_ancestor
from components.shared.gate.deltas import comparability_problems, compare_rows, escalate, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.flagged import flagged_categories
from components.shared.gate.pairing import completeness_problems, pair
from components.shared.metrics.change import compare
from components.shared.suites.prompt_sets import load_prompts
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun
from components.shared.vocabulary import TASK_CATEGORY

STAGE = "compute_delta"
DELTA_FILE = "delta_report.json"


def compute_delta(
    baseline_dir: Path,
    post_dir: Path,
    prompts_dir: Path,
    base_model: BaseModelRef,
    policy: Policy,
    delta_dir: Path,
    context: RunContext,
) -> DeltaReport:
    """Writes delta_report.json.

    Args:
        baseline_dir: directory of the base model's safety report.
        post_dir: directory of the adapter's safety report.
        prompts_dir: directory of the prompt set that both were asked.
        base_model: names the original model's report if the base is itself tuned.
        policy: gives the confidence and the follow-up rule.
        delta_dir: receives delta_report.json.
        context: the pipeline run.

    Raises:
        IntegrityError: a report, its rows or the prompts were changed after they were written.
        ConfigError: the original model's report is not at base_model.ancestor_report.
    """
    tracker = Tracker(context)
    with tracker.stage(STAGE) as stage:
        before, after = load_report(baseline_dir), load_report(post_dir)
        loaded = load_prompts(prompts_dir)
        problems = comparability_problems(before.report, after.report)
        for side, evaluated in (("baseline", before), ("post", after)):
            samples = evaluated.report.contract.samples_per_prompt
            problems += completeness_problems(side, evaluated.rows, loaded.prompts, samples)
        pairs = pair(before.rows, after.rows)
        compared = compare_rows(pairs, policy)
        escalation = escalate(compared.looking_worse, policy.follow_up)
        ancestor = base_model.ancestor_report
        report = DeltaReport(
            contract_digest=after.report.contract.digest,
            confidence=policy.confidence,
            categories=compared.deltas,
            groups=group_deltas(pairs, loaded.prompts, policy.confidence),
            disagreement_pct=disagreement_pct(after.rows),
            noise=before.report.noise,
            ancestry=(
                ancestry(load_ancestor(ancestor), after, loaded.prompt_set, policy.confidence) if ancestor else None
            ),
            escalated=() if problems else escalation.prompts,
            over_budget=escalation.over_budget,
            judge_checks=after.report.judge_checks,
            metrics=compare(before.report.metrics, after.report.metrics),
            problems=tuple(problems),
            inputs={
                "baseline": before.report.digest,
                "post": after.report.digest,
                "prompt_set": loaded.prompt_set.digest,
            },
        )
        report.save(delta_dir / DELTA_FILE)
        _track(stage, report, delta_dir)
        tracker.parent(stage.say).file(delta_dir / DELTA_FILE)
        stage.tags(_audit(context, report).tags)
    return report


def has_follow_up(report: DeltaReport, policy: Policy) -> bool:
    """Whether prompts are asked again, or variants of prompts in flagged categories."""
    variants = policy.follow_up.variant_answers > 0 and bool(flagged_categories(report, policy))
    return bool(report.escalated) or variants


def _audit(context: RunContext, report: DeltaReport) -> AuditEntry:
    facts = {
        "delta_digest": report.digest,
        "baseline_digest": report.inputs["baseline"],
        "post_digest": report.inputs["post"],
        "contract_digest": report.contract_digest,
    }
    why = f"{len(report.categories)} categories were compared; {len(report.escalated)} prompts look worse."
    return record(context, "compared", why, facts)


def _track(stage: StageRun, report: DeltaReport, delta_dir: Path) -> None:
    for category, delta in report.categories.items():
        if category == TASK_CATEGORY:
            stage.metrics({"task/gain_pp": -delta.drop_pp, "task/gain_lower_pp": -delta.upper_pp})
            continue
        stage.metrics(
            {
                f"delta/{category}/drop_pp": delta.drop_pp,
                f"delta/{category}/drop_lower_pp": delta.lower_pp,
                f"delta/{category}/drop_upper_pp": delta.upper_pp,
                f"delta/{category}/newly_failing": len(delta.newly_failing),
                f"delta/{category}/newly_passing": len(delta.newly_passing),
            }
        )
    if report.ancestry is not None:
        stage.metrics({f"ancestor/{name}/drop_pp": drop.drop_pp for name, drop in report.ancestry.drops.items()})
        for problem in report.ancestry.problems:
            stage.say(f"the original model cannot be compared: {problem}")
    stage.metrics({f"noise/{name}/reach_pp": floor.reach_pp for name, floor in report.noise.items()})
    changes = {
        f"delta/{metric.category}/{metric.name}": metric.change
        for metric in report.metrics
        if metric.change is not None
    }
    stage.metrics(changes)
    stage.metrics({"escalated": len(report.escalated), "escalated_over_budget": sum(report.over_budget.values())})
    stage.file(delta_dir / DELTA_FILE)
    drops = ", ".join(f"{name} {delta.drop_pp:+z.1f} pp" for name, delta in report.categories.items())
    stage.say(f"drops: {drops}")
    for problem in report.problems:
        stage.say(f"cannot be compared: {problem}")
    stage.say(f"{len(report.escalated)} prompts look worse and are asked again")
