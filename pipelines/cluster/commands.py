"""`plimsoll submit` and `plimsoll trigger`: runs of the pipeline on a Kubeflow cluster."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cluster.options import (
    Cookie,
    Experiment,
    Host,
    Namespace,
    NoCheck,
    Token,
    TokenFile,
    check_for_cluster,
    connect,
)
from pipelines.cluster.schedule_command import schedule
from pipelines.config_argument import Config, Overrides
from pipelines.printing import echo

if TYPE_CHECKING:
    from components.shared.config.sections import PipelineConfig, TrackingConfig
    from pipelines.cluster.kfp_client import Client
    from pipelines.cluster.package import Package
    from pipelines.cluster.trigger import Assessment
    from pipelines.running.launch import Loaded

Wait = Annotated[
    bool, typer.Option("--wait", help="Follows the run to its end and ends with the decision's exit code.")
]


def add_cluster_commands(app: typer.Typer) -> None:
    """Adds the commands that work with a Kubeflow server."""
    app.command(epilog="Example: plimsoll submit configs/pipelines/mine.yaml --wait")(submit)
    app.command(epilog='Example: plimsoll schedule configs/pipelines/mine.yaml --cron "0 3 * * 1"')(schedule)
    app.command(epilog="Example: plimsoll trigger configs/pipelines/mine.yaml --max-age-days 30")(trigger)


def submit(
    config: Config,
    overrides: Overrides = None,
    wait: Wait = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Prints the requests as JSON, and sends nothing.")] = False,
    upload: Annotated[
        bool, typer.Option("--upload", help="Uploads the pipeline as a version first, and runs that version.")
    ] = False,
    no_check: NoCheck = False,
    experiment: Experiment = None,
    run_name: Annotated[
        str | None,
        typer.Option("--run-name", metavar="NAME", help="Name of the run; must be unique. Default: config and time."),
    ] = None,
    host: Host = None,
    namespace: Namespace = None,
    token: Token = None,
    token_file: TokenFile = None,
    cookie: Cookie = None,
) -> None:
    """Runs the pipeline on a Kubeflow cluster.

    Exit codes: 0 submitted; with --wait those of `plimsoll run`: 0 promote, 10 reject, 11 needs review, 12 insufficient
    evidence, 13 invalid; 2 wrong input, 1 failure.
    """
    from pipelines.cluster.package import compile_package
    from pipelines.cluster.submit import show_submission, submission_of
    from pipelines.cluster.submit import submit as send
    from pipelines.running.launch import load, new_run_id

    loaded = load(config, overrides or [])
    check_for_cluster(loaded, no_check)
    package = compile_package(loaded)
    client = connect(loaded.config.cluster, host, namespace, token, token_file, cookie)
    name = run_name or f"{loaded.config.name}-{new_run_id()}"
    submission = submission_of(loaded.config, package, name, experiment)._replace(upload=upload)
    if dry_run:
        echo(show_submission(client, submission))
        return
    run_id = send(client, submission)
    echo(f"submitted run {run_id} ({name})")
    _show_links(client, loaded.config.tracking, run_id)
    if wait:
        raise typer.Exit(_follow(client, package, loaded.config.tracking, run_id))


def trigger(
    config: Config,
    overrides: Overrides = None,
    force: Annotated[bool, typer.Option("--force", help="Starts a run although none is due; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence.")] = None,
    max_age_days: Annotated[
        int | None,
        typer.Option(
            "--max-age-days",
            metavar="N",
            min=1,
            help="The champion's evidence expires; default: cluster.evidence_days.",
        ),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Runs on this machine, as `plimsoll run`, with its exit codes.")
    ] = False,
    wait: Wait = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Prints what is due, and starts nothing.")] = False,
    experiment: Experiment = None,
    host: Host = None,
    namespace: Namespace = None,
    token: Token = None,
    token_file: TokenFile = None,
    cookie: Cookie = None,
) -> None:
    """Starts a run if data, base model, suites, policy or recipe changed since the last decision, or evidence expired.

    Otherwise it prints why not. It may be called often, also at the same time: for one state it starts one run.
    Exit codes: 0 started, or nothing is due; with --wait or --local those of `plimsoll run`; 2 wrong input, 1 failure.
    """
    from components.shared.config.anchoring import anchor
    from pipelines.cluster.launchers import kept_sections
    from pipelines.cluster.server_errors import ClusterError
    from pipelines.cluster.trigger import assess
    from pipelines.running.launch import load

    if force and not (reason or "").strip():
        raise typer.BadParameter("say in a sentence why a run is forced", param_hint="--reason")
    if reason is not None and not force:
        raise typer.BadParameter("a reason belongs to --force", param_hint="--reason")
    loaded = load(config, overrides or [])
    anchored = anchor(loaded.config, Path.cwd())
    try:
        client = None if local else connect(loaded.config.cluster, host, namespace, token, token_file, cookie)
    except ClusterError:
        if not dry_run:  # a dry run compares what it can without the server
            raise
        client = None
    days = max_age_days if max_age_days is not None else loaded.config.cluster.evidence_days
    assessment = assess(anchored, loaded, lambda run: kept_sections(run, client), days, datetime.now(UTC).date())
    for why in assessment.why:
        echo(f"due: {why}")
    if dry_run:
        echo(f"nothing is due: {assessment.why_not}" if not assessment.why else "nothing was started (--dry-run)")
    elif client is None:
        raise typer.Exit(_trigger_here(loaded, anchored, assessment, reason))
    else:
        raise typer.Exit(_trigger_on_cluster(client, loaded, anchored, assessment, reason, experiment, wait))


def _trigger_here(loaded: "Loaded", anchored: "PipelineConfig", assessment: "Assessment", reason: str | None) -> int:
    from pipelines.cluster.launchers import LocalLauncher
    from pipelines.cluster.trigger import trigger as start
    from pipelines.running.tables import show_result

    launcher = LocalLauncher(loaded, anchored.tracking)
    triggered = start(anchored, assessment, launcher, reason)
    if launcher.outcome is None:
        echo(triggered.text)
        return 0
    show_result(launcher.outcome, loaded.config)
    return launcher.outcome.exit_code


def _trigger_on_cluster(
    client: "Client",
    loaded: "Loaded",
    anchored: "PipelineConfig",
    assessment: "Assessment",
    reason: str | None,
    experiment: str | None,
    wait: bool,
) -> int:
    from pipelines.cluster.launchers import ClusterLauncher
    from pipelines.cluster.package import compile_package
    from pipelines.cluster.submit import submission_of
    from pipelines.cluster.trigger import trigger as start

    if assessment.why or reason is not None:
        check_for_cluster(loaded)
    package = compile_package(loaded)
    launcher = ClusterLauncher(client, submission_of(loaded.config, package, loaded.config.name, experiment))
    triggered = start(anchored, assessment, launcher, reason)
    echo(triggered.text)
    if triggered.run is None:
        return 0
    _show_links(client, loaded.config.tracking, triggered.run)
    return _follow(client, package, loaded.config.tracking, triggered.run) if wait else 0


def _follow(client: "Client", package: "Package", tracking: "TrackingConfig", run_id: str) -> int:
    from components.shared.progress import speaker
    from pipelines.cluster.follow import follow
    from pipelines.cluster.run_result import run_result
    from pipelines.cluster.server_errors import ClusterError

    try:
        ending = follow(client, run_id, package.tasks(), speaker("cluster"))
    except KeyboardInterrupt:
        raise ClusterError(
            f"no longer following run {run_id}; the run goes on: {client.server.run_link(run_id)}"
        ) from None
    result = run_result(tracking, run_id, ending)
    echo(result.text, err=result.exit_code == 1)
    if result.link is not None:
        echo(f"  MLflow: {result.link}")
    return result.exit_code


def _show_links(client: "Client", tracking: "TrackingConfig", run_id: str) -> None:
    from components.shared.errors import TrackingError
    from components.shared.tracking.decided import experiment_link

    echo(f"  Kubeflow: {client.server.run_link(run_id)}")
    try:
        link = experiment_link(tracking)
    except TrackingError:  # the cluster may reach a store that this machine does not
        link = None
    echo(f"  MLflow: {link or tracking.uri}, experiment {tracking.experiment!r}, pipeline run {run_id}")
