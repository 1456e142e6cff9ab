"""`plimsoll rollback`: takes a registered model back to an earlier version.

Thin: it parses, calls and prints. `components.shared.tracking.rollback` moves the champion.
"""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.review.review_options import AsJson, Config, Name, Reason, TrackingUri, reviewer_of, store_of

if TYPE_CHECKING:
    from components.shared.config.sections import TrackingConfig
    from components.shared.tracking.rollback import Rollback


def rollback(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Registered model.")],
    to: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="Default: the one before.")] = None,
    name: Name = None,
    reason: Reason = None,
    config: Config = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Makes an earlier version champion again, and writes that into the audit log.

    Exit codes: 0 done; 2 wrong use, such as nothing to go back to; 1 failure.
    """
    from components.shared.audit import open_log
    from components.shared.tracking.rollback import plan_rollback, roll_back
    from pipelines.printing import print_line

    who = reviewer_of(name)
    if reason is None or not reason.strip():
        raise typer.BadParameter("say in a sentence why the champion is taken back", param_hint="--reason")
    tracking, own = store_of(config, tracking_uri)
    plan = plan_rollback(tracking, model, to)
    log = open_log((own.tracking if own is not None else _recorded(tracking, plan)).audit_log)
    log.check()
    roll_back(tracking, plan, who, reason)
    facts = {"model_name": model, "left": plan.left, "champion": plan.champion, "previous": plan.previous or "none"}
    entry = log.append("rollback", reason, facts, plan.pipeline, plan.pipeline_run, who)
    if as_json:
        typer.echo(json.dumps({**facts, "who": who, "reason": reason, "audit_digest": entry.digest}, indent=1))
        return
    previous = f"version {plan.previous} is previous" if plan.previous else "there is no previous version"
    print_line(f"{model}: version {plan.champion} is champion again, version {plan.left} was left; {previous}")


def _recorded(tracking: "TrackingConfig", plan: "Rollback") -> "TrackingConfig":
    """The section of the config that the run of the version that is left was started with; else what was given."""
    from components.shared.errors import TrackingError
    from components.shared.tracking.reviews import open_run, recorded_config

    try:
        config = recorded_config(open_run(tracking, plan.pipeline_run))
    except TrackingError:  # the run was deleted
        return tracking
    return config.tracking if config is not None else tracking
