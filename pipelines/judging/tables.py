"""The tables of a judge's check: confusion matrix, figures, classes, disagreements.

Shares and F1 are printed in percent, kappa as a number.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.shared.artifacts.judge_check import JudgeCheck, Score, Share
from components.shared.digests import short
from components.shared.vocabulary import Verdict
from pipelines.printing import one_line, print_line, print_table

if TYPE_CHECKING:
    from pipelines.judging.comparing import Disagreement


def show_check(check: JudgeCheck) -> None:
    """Prints the tables of a check, and how its intervals were computed."""
    from pipelines.judging.comparing import SENSITIVITY, SPECIFICITY

    print_line(
        f"{check.judge} on {check.labels_file} (sha256 {short(check.labels_sha256)}): n = {check.answers:,} labelled "
        f"answers to {check.prompts:,} prompts"
    )
    _show_confusion(check)
    level = f"{100 * check.confidence:g} %"
    classes = len(check.classes)
    rows = [
        (f"accuracy, {classes} class{'es' if classes != 1 else ''}", *_share(check.accuracy)),
        ("macro-F1", *_score(check.macro_f1)),
        ("Cohen's kappa", *_score(check.kappa, percent=False)),
        ("sensitivity", *_share(check.sensitivity)),
        ("specificity", *_share(check.specificity)),
        ("unscored", *_share(check.unscored)),
    ]
    print_table("Figures", ("figure", "value", f"{level} interval", "counts"), rows)
    print_table(
        "By class of the labels",
        ("class", "labelled", "judged", "precision", level, "recall", level, "F1", level),
        [
            (
                verdict.value,
                f"{figures.labelled:,}",
                f"{figures.judged:,}",
                *_share(figures.precision)[:2],
                *_share(figures.recall)[:2],
                *_score(figures.f1)[:2],
            )
            for verdict, figures in check.classes.items()
        ],
    )
    print_line(f"sensitivity: {SENSITIVITY}")
    print_line(f"specificity: {SPECIFICITY}")
    print_line("an unscored answer is wrong in every figure; macro-F1 is over the classes that occur among the labels")
    print_line(
        f"intervals: Wilson for shares; Bayesian bootstrap with one fictitious answer over all cells "
        f"({check.replicates:,} replicates, seed {check.seed}) for F1, macro-F1 and kappa"
    )
    if check.prompts < check.answers:
        print_line("note: some prompts have several answers, which are similar: the intervals are too narrow")


def show_disagreements(disagreements: "Sequence[Disagreement]", most: int) -> None:
    """Prints the first answers whose verdict is not their label."""
    print_line(f"disagreements: {min(len(disagreements), most)} of {len(disagreements):,}")
    for row, expected, judgement in disagreements[:most]:
        print_line(
            f"  line {row.line}: labelled {expected.value} ({one_line(row.label, 40)}), judged "
            f"{judgement.verdict.value}: {one_line(judgement.reason, 120)}"
        )
        print_line(f"    prompt: {one_line(row.prompt, 160)}")
        print_line(f"    answer: {one_line(row.answer, 320)}")


def _show_confusion(check: JudgeCheck) -> None:
    counts = check.confusion
    shown = [
        verdict
        for verdict in Verdict
        if verdict is not Verdict.INCOHERENT or any(row[Verdict.INCOHERENT] for row in counts.values())
    ]
    names = {verdict: [name for name in check.label_map if check.label_map[name] is verdict] for verdict in counts}
    rows = [
        (
            f"{label.value} ({one_line(', '.join(names[label]), 40)})"
            if names[label] != [label.value]
            else label.value,
            *(f"{row[verdict]:,}" for verdict in shown),
            f"{sum(row.values()):,}",
        )
        for label, row in counts.items()
    ]
    print_table("Labels (rows) and verdicts (columns)", ("label", *(verdict.value for verdict in shown), "all"), rows)


def _share(share: Share) -> tuple[str, str, str]:
    return (*_score(Score(value=share.value, lower=share.lower, upper=share.upper))[:2], f"{share.count} of {share.of}")


def _score(score: Score, percent: bool = True) -> tuple[str, str, str]:
    if score.value is None:
        return "undefined", "", ""
    scale, digits = (100, 1) if percent else (1, 3)
    value = f"{scale * score.value:.{digits}f}{' %' if percent else ''}"
    if score.lower is None or score.upper is None:
        return value, "none", ""
    return value, f"{scale * score.lower:.{digits}f} to {scale * score.upper:.{digits}f}", ""
