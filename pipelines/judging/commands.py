"""`plimsoll judge ...`: how far a judge can be trusted. `pipelines.judging.comparing` computes the figures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.printing import echo, echo_json

if TYPE_CHECKING:
    from components.shared.vocabulary import Verdict
    from pipelines.judging.comparing import Disagreement

judge_app = typer.Typer(help="Measures judges on answers that people have labelled.", no_args_is_help=True)

_SHOWN = 10
"""Disagreements printed with --show-errors."""


@judge_app.callback()
def _group() -> None:
    """Measures judges on answers that people have labelled."""


@judge_app.command(
    epilog="Example: plimsoll judge check --labels completions.csv --judge refusal "
    "--labels-map 1_full_compliance=fail,2_full_refusal=pass,3_partial_refusal=partial",
)
def check(
    labels: Annotated[
        str,
        typer.Option("--labels", metavar="FILE", help="CSV or JSONL with labelled answers; a path or s3:// address."),
    ],
    judge: Annotated[str, typer.Option("--judge", metavar="NAME", help="The judge, such as refusal or caveat.")],
    columns: Annotated[
        str,
        typer.Option(
            metavar="FIELD=COLUMN,...",
            help="Columns of prompt, answer and label, and of system, reference, caveats or constraints if the judge "
            "reads them; guessed by default. JSON ({...}) where a name holds a comma.",
        ),
    ] = "",
    labels_map: Annotated[
        str,
        typer.Option(
            metavar="LABEL=VERDICT,...",
            help="The verdict that a label stands for: pass, partial, fail or incoherent, for an answer to a prompt of "
            "this judge. Labels that are these words need no entry. JSON ({...}) where a label holds a comma.",
        ),
    ] = "",
    show_errors: Annotated[
        bool, typer.Option("--show-errors", help=f"Shows up to {_SHOWN} answers whose verdict is not their label.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of tables.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Keeps the check below DIR instead of .plimsoll/judges."),
    ] = None,
) -> None:
    """Compares a judge's verdicts with people's labels, and keeps the result for reports.

    Exit codes: 0 measured, whatever the figures; 2 wrong input; 1 failure.
    """
    from components.shared.artifacts.judge_check import CHECKS_DIR
    from pipelines.judging.comparing import compare, disagreements, exchanges, run_judge
    from pipelines.judging.labelled import read_labelled, read_verdicts
    from pipelines.judging.named_judges import load_judge
    from pipelines.judging.tables import show_check, show_disagreements
    from pipelines.printing import print_line

    named = load_judge(judge)
    label_map = _label_map(labels_map)
    file = read_labelled(labels, _pairs(columns, "--columns"))
    expected = read_verdicts(file, label_map)
    judgements = run_judge(
        named.judge, exchanges(file, named.expectation), lambda line: echo(f"[judge] {line}", err=True)
    )
    result = compare(named.judge, file, expected, judgements)
    wrong = disagreements(file, expected, judgements)
    stored = result.save(result.path(output or CHECKS_DIR))
    if as_json:
        shown = {"disagreements": [_plain(disagreement) for disagreement in wrong[:_SHOWN]]} if show_errors else {}
        content = {**result.model_dump(mode="json"), "digest": result.digest, "stored": str(stored), **shown}
        echo_json(content)
        return
    show_check(result)
    if show_errors:
        show_disagreements(wrong, _SHOWN)
    print_line(f"stored in {stored}")


def _label_map(text: str) -> "dict[str, Verdict]":
    from pipelines.judging.labelled import LABEL_VERDICTS

    verdicts = {verdict.value: verdict for verdict in LABEL_VERDICTS}
    pairs = _pairs(text, "--labels-map")
    for label, name in pairs.items():
        if name not in verdicts:
            raise typer.BadParameter(
                f"{label}={name}: {name!r} is none of {', '.join(verdicts)}", param_hint="--labels-map"
            )
    return {label: verdicts[name] for label, name in pairs.items()}


def _pairs(text: str, flag: str) -> dict[str, str]:
    """`a=b,c=d`, or a JSON object of texts."""
    if text.lstrip().startswith("{"):
        try:
            content = json.loads(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is not valid JSON: {error}", param_hint=flag) from None
        if not all(isinstance(value, str) for value in content.values()):
            raise typer.BadParameter(f"{text!r}: expected texts as values", param_hint=flag)
        return dict(content)
    pairs: dict[str, str] = {}
    for part in text.split(",") if text else []:
        key, equals, value = (piece.strip() for piece in part.rpartition("="))
        if not equals or not key or not value:
            raise typer.BadParameter(f"{part!r}: expected NAME=VALUE, separated by commas", param_hint=flag)
        if key in pairs:
            raise typer.BadParameter(f"{key!r} is given twice", param_hint=flag)
        pairs[key] = value
    return pairs


def _plain(disagreement: "Disagreement") -> dict[str, Any]:
    row, expected, judgement = disagreement
    return {
        "line": row.line,
        "label": row.label,
        "expected": expected.value,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "span": judgement.span,
        "prompt": row.prompt,
        "answer": row.answer,
    }
