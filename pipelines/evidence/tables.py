"""What a person sees of a verification, of a run's witnesses and of a replay. It computes nothing."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.printing import console, one_line, print_line, print_table

if TYPE_CHECKING:
    from pipelines.evidence.replay import Replayed, ReplayedSide

_CHECKED = (
    ("files", "every file has the digest, the form and the bytes that it was written with"),
    ("chain", "data, prompts, manifest, reports, delta, follow-up and policy are the ones that were decided on"),
    ("answers", "every prompt was asked, answered and judged as often as the contract says, on both sides"),
    ("follow-up", "the prompts that look worse were asked again; Fisher's test of the fresh verdicts"),
    ("figures", "drops, bounds, McNemar with Holm, judge error, disagreement: recomputed from the raw verdicts"),
    ("decision", "each category, floors, task, waiver and the worst of them: recomputed under the policy"),
)


def show_verification(name: str, folder: Path, decision: str | None, differences: list[str]) -> None:
    """Prints one line, then what was checked and the categories; or each difference in a sentence."""
    if differences:
        print_line(f"not verified: {name}: {len(differences)} difference{'s' if len(differences) > 1 else ''}")
        for difference in differences:
            print_line(f"  {difference}")
        return
    content = _decision(folder)
    policy = f"{content['policy_name']} {content['policy_version']}"
    print_line(f"verified: {name}: {decision} under policy {policy}, decided on {content['decided_on']}")
    print_table("What was checked", ("check", "what holds"), _CHECKED, left=2)
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
    """Prints the run's witnesses, the first line of each answer; says so where it has none."""
    content = _decision(folder)
    if not content["witnesses"]:
        print_line(f"the decision is {content['decision']}: it has no witnesses; name any prompt of the run instead")
        return
    rows = [
        (own["prompt_id"], own["category"], str(own["sample"]), one_line(own["before"], 60), one_line(own["after"], 60))
        for own in content["witnesses"]
    ]
    print_table("Witnesses", ("prompt", "category", "sample", "base's answer", "adapter's answer"), rows, left=5)


def show_replay(found: "Replayed") -> None:
    """Prints the prompt, both pairs of answers side by side, and whether they are identical."""
    print_line(f"prompt {found.prompt.id} ({found.prompt.category}): {one_line(found.prompt.prompt, 300)}")
    for side in found.sides:
        _show_side(side)
    for warning in found.warnings:
        print_line(f"warning: {warning}")
    for side in found.sides:
        word = "identical" if side.identical else "not identical"
        count = f"{len(side.stored)} answer{'s' if len(side.stored) > 1 else ''}"
        verdicts = "" if side.same_verdicts else "; the judges say otherwise now"
        print_line(f"{side.name}: {word}, {count}, {side.way}{verdicts}")
    print_line(f"replay: {'identical' if found.identical else 'not identical'}")


def _show_side(side: "ReplayedSide") -> None:
    from rich.columns import Columns
    from rich.panel import Panel
    from rich.text import Text

    width = console().width // 2 - 1
    for stored, drawn in zip(side.stored, side.drawn, strict=True):
        panels = [
            Panel(
                Text(_visible(row.answer)),
                title=Text(f"{side.name} {row.sample}, {when}"),
                subtitle=Text(f"{row.verdict.value} ({row.judge})"),
                width=width,
                title_align="left",
                subtitle_align="left",
            )
            for when, row in (("stored", stored), ("now", drawn))
        ]
        console().print(Columns(panels, padding=(0, 1)))


def _visible(text: str) -> str:
    """An answer with its lines, without control characters that a terminal would obey."""
    return (
        "".join(own if own == "\n" or own.isprintable() else "\N{REPLACEMENT CHARACTER}" for own in text) or "(empty)"
    )


def _decision(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "gate_decision.json").read_text(encoding="utf-8"))["content"]
    return content
