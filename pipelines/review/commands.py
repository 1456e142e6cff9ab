"""`plimsoll review`: a person decides on an adapter that needs a review. `plimsoll rollback`: takes a champion back."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.printing import echo, echo_json
from pipelines.review.review_options import AsJson, Config, Name, Reason, TrackingUri, reviewer_of, store_of

if TYPE_CHECKING:
    from components.shared.artifacts.human_review import Review
    from components.shared.config.sections import TrackingConfig
    from components.shared.tracking.rollback import Rollback
    from pipelines.review.case import ReviewCase
    from pipelines.review.drafts import Draft
    from pipelines.review.session import ReviewAnswers
    from pipelines.review.settling import ReviewOutcome


def review(
    run: Annotated[str, typer.Argument(metavar="RUN", help="MLflow run id or pipeline run id.")],
    approve: Annotated[bool, typer.Option("--approve", help="Approves without asking; needs --reason.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuses without asking; needs --reason.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only prints the decision and the queue.")] = False,
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
    """Shows the answers that need a review, asks for verdicts, and registers or refuses the adapter.

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
    tracking, pipeline = store_of(config, tracking_uri)
    with TemporaryDirectory() as directory:
        case = open_case(run, tracking, pipeline, Path(directory))
        if show:
            _show(case, as_json)
            return
        outcome: ReviewOutcome | None = "approved" if approve else "refused" if refuse else None
        _conclude(case, reviewer_of(name), outcome, reason or "", verdicts, as_json)


def _conclude(
    case: "ReviewCase",
    reviewer: str,
    outcome: "ReviewOutcome | None",
    reason: str,
    verdicts: Path | None,
    as_json: bool,
) -> None:
    """Takes the review from options or questions, or an unfinished one, and gives it its effect."""
    from components.shared.artifacts.decision import Decision
    from pipelines.exit_codes import DECISION_CODES, FAILURE
    from pipelines.printing import print_line
    from pipelines.review.drafts import Draft
    from pipelines.review.session import ask_reviewer
    from pipelines.review.settling import make_review, settle
    from pipelines.review.tables import show_review

    draft = Draft(case.run.context.pipeline_run, case.decision.digest, reviewer)
    if case.unfinished is not None:
        written = _finish(case.unfinished, outcome, as_json)
    else:
        answers = ask_reviewer(case, draft) if outcome is None else _answers(case, draft, outcome, reason, verdicts)
        if answers is None:
            print_line(f"not finished; your verdicts are in {draft.path}, the same command continues there")
            raise typer.Exit(FAILURE)
        written = make_review(case, answers.outcome, reviewer, answers.reason, answers.verdicts)
    with redirect_stdout(sys.stderr if as_json else sys.stdout):  # the step's own lines
        registration = settle(case, written)
    draft.remove()
    if as_json:
        version = registration.version if registration is not None else None
        content = {**written.model_dump(mode="json"), "digest": written.digest, "registered_version": version}
        echo_json(content)
    else:
        show_review(written, registration)
    raise typer.Exit(0 if written.outcome == "approved" else DECISION_CODES[Decision.REJECT])


def _finish(unfinished: "Review", outcome: "ReviewOutcome | None", as_json: bool) -> "Review":
    """The review that was kept before it took effect; it can be finished, and not become the opposite."""
    from pipelines.printing import print_line

    if outcome is not None and outcome != unfinished.outcome:
        raise typer.BadParameter(
            f"the run was {unfinished.summary}; that review was kept and not finished: it can be finished, not changed",
            param_hint=f"--{'approve' if outcome == 'approved' else 'refuse'}",
        )
    if not as_json:
        print_line("finishing the review that was kept and not finished")
    return unfinished


def _answers(
    case: "ReviewCase", draft: "Draft", outcome: "ReviewOutcome", reason: str, verdicts: Path | None
) -> "ReviewAnswers":
    """The answers that the options give; verdicts of the draft count where the file has none on the same answer."""
    from pipelines.review.case import refuse_unapprovable
    from pipelines.review.drafts import only_queued, read_verdicts
    from pipelines.review.session import ReviewAnswers

    if outcome == "approved":
        refuse_unapprovable(case)
    from_file = read_verdicts(verdicts, case.queue) if verdicts is not None else {}
    return ReviewAnswers(outcome, reason, {**only_queued(draft.read(), case.queue), **from_file})


def _show(case: "ReviewCase", as_json: bool) -> None:
    from pipelines.review.tables import show_case, show_item

    if as_json:
        content = {
            "pipeline_run": case.run.context.pipeline_run,
            "decision_digest": case.decision.digest,
            "summary": case.decision.summary,
            "queue": [item.model_dump(mode="json") for item in case.queue],
        }
        echo_json(content)
        return
    show_case(case)
    for place, item in enumerate(case.queue, start=1):
        show_item(item, place, len(case.queue))


def rollback(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Registered model.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="Version to go back to; default: the one before.")
    ] = None,
    name: Name = None,
    reason: Reason = None,
    config: Config = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Makes an earlier version champion again, and writes that into the audit log.

    Exit codes: 0 done; 2 wrong use, such as nothing to go back to; 1 failure.
    """
    from components.shared.audit import NO_VERSION, StandingReader, open_log
    from components.shared.tracking.rollback import plan_rollback, roll_back
    from pipelines.printing import print_line

    who = reviewer_of(name)
    if reason is None or not reason.strip():
        raise typer.BadParameter("say in a sentence why the champion is taken back", param_hint="--reason")
    tracking, pipeline = store_of(config, tracking_uri)
    plan = plan_rollback(tracking, model, to)
    log = open_log((pipeline.tracking if pipeline is not None else _recorded(tracking, plan)).audit_log)
    facts = {"model_name": model, "left": plan.left, "champion": plan.champion, "previous": plan.previous or NO_VERSION}
    entry = log.append("rollback", reason, facts, plan.pipeline, plan.pipeline_run, who)
    roll_back(tracking, plan, who, reason, StandingReader(log, model))
    if as_json:
        echo(json.dumps({**facts, "who": who, "reason": reason, "audit_digest": entry.digest}, indent=1))
        return
    previous = f"version {plan.previous} is previous" if plan.previous else "there is no previous version"
    print_line(f"{model}: version {plan.champion} is champion again, version {plan.left} was left; {previous}")


def _recorded(tracking: "TrackingConfig", plan: "Rollback") -> "TrackingConfig":
    """The tracking config of the run whose version is left, where that run recorded one; else `tracking`."""
    from components.shared.errors import TrackingError
    from components.shared.tracking.reviews import open_run, recorded_config

    try:
        config = recorded_config(open_run(tracking, plan.pipeline_run))
    except TrackingError:  # the run was deleted
        return tracking
    return config.tracking if config is not None else tracking
