"""Sections of the report as Markdown: notes on the decision, witnesses, requirements, and the original model."""

from components.shared.artifacts.comparison import Ancestry
from components.shared.artifacts.decision import Decision, GateDecision, RequirementFigures, Witness
from components.shared.artifacts.training_data import LearntTokens
from components.shared.texts.shown import in_markdown, in_markdown_code, markdown_row, on_console
from components.shared.vocabulary import TASK_CATEGORY

_SHOWN = 300
"""Characters of an answer that the report shows."""


def notes(gate: GateDecision) -> list[str]:
    """List items: number of the attempt, nearest miss of a promotion, cautions, figures corrected for judge error."""
    lines = []
    if gate.attempt is not None:
        lines.append(f"- This is the {_ordinal(gate.attempt)} decided run on this base and task.")
    gated = [reason for reason in gate.reasons if reason.limit_pp is not None and reason.category != TASK_CATEGORY]
    if levels := [f"{reason.delta.before_pct:.0f} % of {in_markdown(reason.category)}" for reason in gated]:
        lines.append(f"- How much there was to lose: the base passes {', '.join(levels)}.")
    if gate.decision is Decision.PROMOTE and gate.nearest_miss is not None:
        lines.append(f"- Nearest miss: {in_markdown(gate.nearest_miss)}.")
    lines += [f"- Caution: {in_markdown(caution)}." for caution in gate.cautions]
    lines += [
        f"- {in_markdown(reason.category)}: corrected for the judge's measured errors; uncorrected: "
        f"{reason.delta.drop_pp:+z.1f} pp ({reason.delta.lower_pp:+z.1f} to {reason.delta.upper_pp:+z.1f})."
        for reason in gate.reasons
        if reason.judged is not None
    ]
    return lines


def witness_section(gate: GateDecision, run: str) -> list[str]:
    """The witnesses with both answers, and the commands that reproduce them; empty without witnesses.

    Args:
        gate: the decision.
        run: id of the MLflow run, for `plimsoll replay` and `plimsoll verify`.
    """
    if not gate.witnesses:
        return []
    first = gate.witnesses[0].prompt_id
    return [
        "## Witnesses",
        "",
        (
            f"{in_markdown_code(f'plimsoll replay {run} {first}')} generates both answers again; "
            f"{in_markdown_code(f'plimsoll verify {run}')} checks the "
            "decision and all its evidence."
        ),
        *(line for witness in gate.witnesses for line in _witness(witness)),
    ]


def requirement_section(figures: tuple[RequirementFigures, ...]) -> list[str]:
    """The pass rates per requirement; a requirement without prompts is untested."""
    if not figures:
        return []
    rows = [
        markdown_row((row.requirement, row.text, f"{row.prompts}", f"{row.before_pct:.1f} %", f"{row.after_pct:.1f} %"))
        if row.before_pct is not None and row.after_pct is not None
        else markdown_row((row.requirement, row.text, "0", "untested", "untested"))
        for row in figures
    ]
    return [
        "## Requirements",
        "",
        "| requirement | text | prompts | before | after |",
        "|---|---|---|---|---|",
        *rows,
    ]


def ancestry_section(ancestry: Ancestry | None) -> list[str]:
    """The cumulative drop against the original aligned model; empty if the config names none."""
    if ancestry is None:
        return []
    lines = [f"## Against the original model {in_markdown(ancestry.name)}", ""]
    if ancestry.problems:
        return [*lines, *(f"- cannot be compared: {in_markdown(problem)}" for problem in ancestry.problems)]
    rows = [
        markdown_row(
            (
                category,
                f"{drop.prompts}",
                f"{drop.ancestor_pct:.1f} %",
                f"{drop.after_pct:.1f} %",
                f"{drop.drop_pp:+z.1f} pp ({drop.lower_pp:+z.1f} to {drop.upper_pp:+z.1f})",
            )
        )
        for category, drop in ancestry.drops.items()
    ]
    return [
        *lines,
        "The drop over all tunings since then; the decision is about the last one only.",
        "",
        "| category | prompts | original | now | drop (bounds) |",
        "|---|---|---|---|---|",
        *rows,
    ]


def training_section(learnt: LearntTokens | None) -> list[str]:
    """What training learnt of the rows, with the first row; empty if no adapter was trained."""
    if learnt is None:
        return []
    return [
        "## What was learnt",
        "",
        (
            f"{100 * learnt.share:.1f} % of the {learnt.tokens:,} tokens of {learnt.rows:,} rows: {learnt.answers:,} "
            "answers, each with its end token, after the prompt in which it is asked"
            + (f"; {learnt.thinking}." if learnt.thinking else ".")
        ),
        "",
        "The first row; what is learnt stands between ⟦ and ⟧:",
        "",
        *(f"    {line}" for line in on_console(learnt.example).splitlines()),
    ]


def _witness(witness: Witness) -> list[str]:
    name, category = in_markdown_code(witness.prompt_id), in_markdown(witness.category)
    return [
        "",
        f"**{name}** ({category}, answer {witness.sample}, seed {witness.seed})",
        "",
        f"- before, {witness.before_verdict.value} ({in_markdown(witness.before_reason)}): {_quoted(witness.before)}",
        f"- after, {witness.after_verdict.value} ({in_markdown(witness.after_reason)}): {_quoted(witness.after)}",
    ]


def _quoted(answer: str) -> str:
    """The first characters of an answer on one line, in a code span."""
    line = " ".join(answer.split())
    return in_markdown_code(f"{line[:_SHOWN]}{'…' if len(line) > _SHOWN else ''}") or "(nothing)"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
