"""`plimsoll review`: what a person says about an adapter that the gate could not decide on.

Thin: it parses, calls and prints. `pipelines.review.settling` gives a review its effect.
"""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.review.review_options import AsJson, Config, Name, Reason, TrackingUri, reviewer_of, store_of

if TYPE_CHECKING:
    from pipelines.review.case import Case
    from pipelines.review.settling import Outcome


def review(
    run: Annotated[str, typer.Argument(metavar="RUN", help="MLflow run id or pipeline run id.")],
    approve: Annotated[bool, typer.Option("--approve", help="Approves without asking; needs --reason.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuses without asking; needs --reason.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only prints what there is to look at.")] = False,
    name: Name = None,
    reason: Reason = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(
            "--verdicts",
            metavar="FILE",
            help='JSONL, a line per answer: {"prompt_id": ..., "sample": ..., "verdict": "pass|partial|fail|skip"}.',
        ),
    ] = None,
    config: Config = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Shows what a decision `needs_review` asks about, takes verdicts, and registers or refuses the adapter.

    Exit codes: 0 approved (or shown), 10 refused; 2 wrong use, such as a run that has nothing to review; 1 failure, or
    not finished yet.
    """
    from pipelines.review.case import open_case

    if approve + refuse + show > 1:
        raise typer.BadParameter("choose one of --approve, --refuse and --show", param_hint="--approve")
    if (approve or refuse) and reason is None:
        raise typer.BadParameter("a review without questions needs it", param_hint="--reason")
    if not (approve or refuse) and (reason is not None or verdicts is not None or (as_json and not show)):
        raise typer.BadParameter(
            "--reason, --verdicts and --json go with --approve or --refuse", param_hint="--approve"
        )
    tracking, own = store_of(config, tracking_uri)
    with TemporaryDirectory() as directory:
        case = open_case(run, tracking, own, Path(directory))
        if show:
            _show(case, as_json)
            return
        outcome: Outcome | None = "approved" if approve else "refused" if refuse else None
        _conclude(case, reviewer_of(name), outcome, reason or "", verdicts, as_json)


def _conclude(
    case: "Case", reviewer: str, outcome: "Outcome | None", reason: str, verdicts: Path | None, as_json: bool
) -> None:
    from components.shared.artifacts.decision import Decision
    from pipelines.exit_codes import DECISION_CODES, FAILURE
    from pipelines.printing import print_line
    from pipelines.review.case import refuse_unapprovable
    from pipelines.review.drafts import Draft, only_queued, read_verdicts
    from pipelines.review.session import Words, ask_reviewer
    from pipelines.review.settling import settle, write
    from pipelines.review.tables import show_review

    draft = Draft(case.run.context.pipeline_run, case.decision.digest, reviewer)
    written = case.unfinished
    if written is None:
        words: Words | None
        if outcome is None:
            words = ask_reviewer(case, draft)
        else:
            if outcome == "approved":
                refuse_unapprovable(case)
            given = read_verdicts(verdicts, case.queue) if verdicts is not None else {}
            words = Words(outcome, reason, {**only_queued(draft.read(), case.queue), **given})
        if words is None:
            print_line(f"not finished; what you said is in {draft.path}, the same command goes on there")
            raise typer.Exit(FAILURE)
        written = write(case, words.outcome, reviewer, words.reason, words.verdicts)
    elif outcome is not None and outcome != written.outcome:
        raise typer.BadParameter(
            f"the run was {written.summary}; that was kept and not carried through: it can be finished, not changed",
            param_hint=f"--{'approve' if outcome == 'approved' else 'refuse'}",
        )
    elif not as_json:
        print_line("finishing what was kept and not carried through")
    with redirect_stdout(sys.stderr if as_json else sys.stdout):  # the step's own lines
        registration = settle(case, written)
    draft.remove()
    if as_json:
        version = registration.version if registration is not None else None
        content = {**written.model_dump(mode="json"), "digest": written.digest, "registered_version": version}
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        show_review(written, registration)
    raise typer.Exit(0 if written.outcome == "approved" else DECISION_CODES[Decision.REJECT])


def _show(case: "Case", as_json: bool) -> None:
    from pipelines.review.tables import show_case, show_item

    if as_json:
        content = {
            "pipeline_run": case.run.context.pipeline_run,
            "decision_digest": case.decision.digest,
            "summary": case.decision.summary,
            "queue": [item.model_dump(mode="json") for item in case.queue],
        }
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    show_case(case)
    for place, item in enumerate(case.queue, start=1):
        show_item(item, place, len(case.queue))
