"""What a decision rests on, as Markdown: witnesses, the statement that a promotion proves, requirements, ancestry."""

from components.shared.artifacts.comparison import Ancestry
from components.shared.artifacts.decision import Decision, GateDecision, RequirementFigures, Witness

_SHOWN = 300
"""Characters of an answer that the report shows."""


def standing(gate: GateDecision) -> list[str]:
    """Which attempt it is, what a promotion came closest to, and which figures were corrected or waived."""
    lines = []
    if gate.attempt is not None:
        lines.append(f"- This is the {_ordinal(gate.attempt)} decided run on this base and task.")
    if gate.decision is Decision.PROMOTE and gate.nearest_miss is not None:
        lines.append(f"- Nearest miss: {gate.nearest_miss}.")
    lines += [
        f"- {own.category}: corrected for the judge's measured errors; measured were {own.delta.drop_pp:+z.1f} pp "
        f"({own.delta.lower_pp:+z.1f} to {own.delta.upper_pp:+z.1f})."
        for own in gate.reasons
        if own.judged is not None
    ]
    return lines


def witness_section(gate: GateDecision, run: str) -> list[str]:
    """The witnesses with both answers, and how to draw them again; nothing where there are none.

    Args:
        gate: the decision.
        run: the MLflow run that `plimsoll replay` finds the evidence by.
    """
    if not gate.witnesses:
        return []
    first = gate.witnesses[0].prompt_id
    return [
        "## Witnesses",
        "",
        (
            f"Both answers are drawn again with `plimsoll replay {run} {first}`; everything that the decision rests on "
            f"is checked with `plimsoll verify {run}`."
        ),
        *(line for witness in gate.witnesses for line in _witness(witness)),
    ]


def requirement_section(figures: tuple[RequirementFigures, ...]) -> list[str]:
    """How the prompts of each requirement did; a requirement without prompts is untested."""
    if not figures:
        return []
    rows = [
        f"| {own.requirement} | {own.text} | {own.prompts} | {own.before_pct:.1f} % | {own.after_pct:.1f} % |"
        if own.before_pct is not None and own.after_pct is not None
        else f"| {own.requirement} | {own.text} | 0 | untested | untested |"
        for own in figures
    ]
    return [
        "## Requirements",
        "",
        "| requirement | text | prompts | before | after |",
        "|---|---|---|---|---|",
        *rows,
    ]


def ancestry_section(ancestry: Ancestry | None) -> list[str]:
    """The cumulative drop against the original aligned model; nothing where the config names none."""
    if ancestry is None:
        return []
    lines = [f"## Against the original model {ancestry.name}", ""]
    if ancestry.problems:
        return [*lines, *(f"- cannot be compared: {problem}" for problem in ancestry.problems)]
    rows = [
        f"| {name} | {own.prompts} | {own.ancestor_pct:.1f} % | {own.after_pct:.1f} % | {own.drop_pp:+z.1f} pp "
        f"({own.lower_pp:+z.1f} to {own.upper_pp:+z.1f}) |"
        for name, own in ancestry.drops.items()
    ]
    return [
        *lines,
        "All tunings together; the decision is about this one alone.",
        "",
        "| category | prompts | original | now | drop (bounds) |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _witness(witness: Witness) -> list[str]:
    return [
        "",
        f"**`{witness.prompt_id}`** ({witness.category}, answer {witness.sample}, seed {witness.seed})",
        "",
        f"- before, {witness.before_verdict.value} ({witness.before_reason}): {_quoted(witness.before)}",
        f"- after, {witness.after_verdict.value} ({witness.after_reason}): {_quoted(witness.after)}",
    ]


def _quoted(answer: str) -> str:
    """One line of an answer, cut, in a code span that the answer's own backticks cannot end."""
    line = " ".join(answer.replace("`", "'").split())
    return f"`{line[:_SHOWN]}{'…' if len(line) > _SHOWN else ''}`" if line else "(nothing)"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
