"""Prints a verification, the witnesses of a run and a replay."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.shared.texts.shown import on_console
from pipelines.printing import console, one_line, print_line, print_table

if TYPE_CHECKING:
    from pipelines.evidence.replay import Replayed, ReplayedSide

_CHECKED = (
    ("files", "every file has its digest, and exactly the bytes that its content is written with"),
    ("chain", "the decision names exactly these data, prompts, manifest, reports, delta, follow-up and policy"),
    ("answers", "every prompt was asked, answered and judged as often as the contract says, on both sides"),
    ("follow-up", "the prompts that look worse were asked again; Fisher's test of the fresh verdicts"),
    ("figures", "drops, bounds, McNemar with Holm, judge error, disagreement: recomputed from the raw verdicts"),
    ("decision", "every category, floor, task gain and waiver, and the worst of them: recomputed under the policy"),
)


def show_verification(
    name: str, folder: Path, decision: str | None, differences: list[str], audit_log: str | None
) -> None:
    """Prints the result, then what was checked and the categories, or a sentence for each difference.

    Args:
        name: the run or directory.
        folder: with the evidence.
        decision: the recomputed one; None if it could not be recomputed.
        differences: from the verifier, the run and the log.
        audit_log: the log that was asked; None if none was.
    """
    if differences:
        print_line(f"not verified: {name}: {len(differences)} difference{'s' if len(differences) > 1 else ''}")
        for difference in differences:
            print_line(f"  {difference}")
        return
    content = _decision(folder)
    policy = f"{content['policy_name']} {content['policy_version']}"
    print_line(f"verified: {name}: {decision} under policy {policy}, decided on {content['decided_on']}")
    asked = f"the whole log {audit_log} is as it was written, and its last decision on this run is this one"
    audited = asked if audit_log is not None else "not asked, because no log is known: --log ADDRESS names it"
    print_table("What was checked", ("check", "what holds"), (*_CHECKED, ("audit log", audited)), left=2)
    rows = []
    for reason in content["reasons"]:
        used = reason["judged"] or reason["delta"]
        bounds = [f"{used[key]:z.1f} pp" for key in ("drop_pp", "lower_pp", "upper_pp")]
        rows.append((reason["category"], reason["decision"] or "not gated", reason["limit"], *bounds))
    print_table(
        "Recomputed, equal to the decision",
        ("category", "decision", "limit", "drop", "at least", "at most"),
        rows,
        left=3,
    )


def show_witnesses(folder: Path) -> None:
    """Prints the run's witnesses with the beginning of each answer, or a sentence where it has none."""
    content = _decision(folder)
    if not content["witnesses"]:
        print_line(f"the decision is {content['decision']}: it has no witnesses; name any prompt of the run instead")
        return
    rows = [
        (
            witness["prompt_id"],
            witness["category"],
            str(witness["sample"]),
            one_line(witness["before"], 60),
            one_line(witness["after"], 60),
        )
        for witness in content["witnesses"]
    ]
    print_table("Witnesses", ("prompt", "category", "sample", "base's answer", "adapter's answer"), rows, left=5)


def show_replay(replayed: "Replayed") -> None:
    """Prints the prompt, both pairs of answers side by side, and whether they are identical."""
    prompt = replayed.prompt
    print_line(f"prompt {prompt.id} ({prompt.category}): {one_line(prompt.prompt, 300)}")
    for side in replayed.sides:
        _show_side(side)
    for warning in replayed.warnings:
        print_line(f"warning: {warning}")
    for side in replayed.sides:
        result = "identical" if side.identical else "not identical"
        count = f"{len(side.stored)} answer{'s' if len(side.stored) > 1 else ''}"
        verdicts = "" if side.same_verdicts else "; the verdicts differ"
        print_line(f"{side.name}: {result}, {count}, {side.way}{verdicts}")
    print_line(f"replay: {'identical' if replayed.identical else 'not identical'}")


def _show_side(side: "ReplayedSide") -> None:
    from rich.columns import Columns
    from rich.panel import Panel
    from rich.text import Text

    width = console().width // 2 - 1
    for stored, drawn in zip(side.stored, side.drawn, strict=True):
        panels = [
            Panel(
                Text(on_console(row.answer) or "(empty)"),
                title=Text(f"{side.name} {row.sample}, {when}"),
                subtitle=Text(f"{row.verdict.value} ({row.judge})"),
                width=width,
                title_align="left",
                subtitle_align="left",
            )
            for when, row in (("stored", stored), ("now", drawn))
        ]
        console().print(Columns(panels, padding=(0, 1)))


def _decision(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "gate_decision.json").read_text(encoding="utf-8"))["content"]
    return content
