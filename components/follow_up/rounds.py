"""The two rounds of a follow-up: fresh answers to escalated prompts, then variants. Each adds to the report."""

from collections.abc import Sequence
from pathlib import Path

from components.follow_up.asker import Asker, BothSides, Question
from components.follow_up.variants import Variant, variant_figures
from components.shared.artifacts.answer_rows import write_answers
from components.shared.artifacts.comparison import FollowUpReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy_rules import FollowUpRule
from components.shared.gate.flips import judge_flips
from components.shared.gate.pairing import pair
from components.shared.progress import Say
from components.shared.vocabulary import Verdict


def ask_fresh(
    asker: Asker,
    prompts: Sequence[SuitePrompt],
    report: FollowUpReport,
    rule: FollowUpRule,
    directory: Path,
    say: Say,
) -> FollowUpReport:
    """The report with the fresh answers' result; unchanged if no prompt was escalated.

    Args:
        asker: asks both sides.
        prompts: the escalated prompts.
        report: the report so far; gives the significance level of one prompt.
        rule: gives the answers per prompt and side, and what confirms a flip.
        directory: receives before.jsonl and after.jsonl.
        say: prints progress.

    Raises:
        ModelError: the model fails, or a prompt does not fit its context.
    """
    if not prompts:
        return report
    say(f"{len(prompts)} prompts x {rule.samples} fresh answers on both sides")
    again = [prompt.model_copy(update={"samples": rule.samples}) for prompt in prompts]
    fresh = asker.both_sides([Question(prompt, prompt) for prompt in again], say)
    flips = judge_flips(pair(fresh.before, fresh.after), report.alpha, rule.max_share_after)
    return report.model_copy(update={"prompts": flips, "answers_sha256": _write(fresh, "", directory)})


def ask_variants(
    asker: Asker, variants: Sequence[Variant], report: FollowUpReport, directory: Path, say: Say
) -> FollowUpReport:
    """The report with the figures of the variants; unchanged if there are none, or none fits the model's context.

    A variant is longer than its prompt. One that does not fit is left out on both sides, with a message; variants
    decide nothing, so the run does not fail.

    Args:
        asker: asks both sides.
        variants: the variants, by category and then by frame.
        report: the report so far.
        directory: receives variants_before.jsonl and variants_after.jsonl.
        say: prints progress.

    Raises:
        ModelError: the model fails.
    """
    fitting = [variant for variant in variants if asker.fits(_question(variant))]
    if len(fitting) < len(variants):
        say(f"{len(variants) - len(fitting)} variants do not fit the model's context and are left out")
    if not fitting:
        return report
    categories = ", ".join(sorted({variant.prompt.category for variant in fitting}))
    answers = sum(variant.samples for variant in fitting)
    say(f"{len(fitting)} variants of prompts in {categories}: {answers:,} answers on both sides")
    sides = asker.both_sides([_question(variant) for variant in fitting], say)
    unscored = sum(row.verdict is Verdict.UNSCORED for side in sides for row in side)
    if unscored:
        say(f"{unscored} answers to variants could not be scored; they count as not passing")
    return report.model_copy(
        update={
            "variants": variant_figures(fitting, sides.before, sides.after),
            "answers_sha256": {**report.answers_sha256, **_write(sides, "variants_", directory)},
        }
    )


def _question(variant: Variant) -> Question:
    return Question(variant.asked, variant.prompt, variant.frame.opening)


def _write(sides: BothSides, prefix: str, directory: Path) -> dict[str, str]:
    """Writes both sides' rows; returns their digests by file name without ending."""
    rows_by_name = {f"{prefix}before": sides.before, f"{prefix}after": sides.after}
    return {name: write_answers(rows, directory / f"{name}.jsonl") for name, rows in rows_by_name.items()}
