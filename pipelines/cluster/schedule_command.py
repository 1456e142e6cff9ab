"""`plimsoll schedule`: runs of the pipeline by the clock."""

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
from pipelines.config_argument import Config, Overrides
from pipelines.printing import echo

if TYPE_CHECKING:
    from pipelines.cluster.kfp_client import Client


def schedule(
    config: Config,
    overrides: Overrides = None,
    cron: Annotated[
        str | None,
        typer.Option("--cron", metavar="FIELDS", help="When: 5 fields, minute first, or 6, second first."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--tz", metavar="ZONE", help="Time zone of --cron; only the server's, cluster.time_zone."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The schedule; default: that of the pipeline.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Shows all schedules.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Starts no more runs until --resume.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Starts runs again.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Removes the schedule; its runs stay.")] = False,
    no_check: NoCheck = False,
    experiment: Experiment = None,
    host: Host = None,
    namespace: Namespace = None,
    token: Token = None,
    token_file: TokenFile = None,
    cookie: Cookie = None,
) -> None:
    """Runs the pipeline by the clock: makes or replaces the schedule of that name.

    The config is compiled now: a change of it takes effect with the next `plimsoll schedule`. Missed times are skipped,
    and no run starts beside an earlier one. Exit codes: 0 done; 2 wrong use; 1 failure.
    """
    from pipelines.cluster.schedule import delete_schedule, pause_schedule, put_schedule, resume_schedule
    from pipelines.running.launch import load

    if sum((cron is not None, show, pause, resume, delete)) != 1:
        raise typer.BadParameter("give exactly one of --cron, --list, --pause, --resume, --delete", param_hint="--cron")
    loaded = load(config, overrides or [])
    client = connect(loaded.config.cluster, host, namespace, token, token_file, cookie)
    title = name or loaded.config.name
    if show:
        _show_schedules(client)
    elif cron is not None:
        from pipelines.cluster.cron import server_cron
        from pipelines.cluster.package import compile_package
        from pipelines.cluster.submit import submission_of

        expression = server_cron(cron, zone, loaded.config.cluster.time_zone)
        check_for_cluster(loaded, no_check)
        submission = submission_of(loaded.config, compile_package(loaded), title, experiment)
        identity, replaced = put_schedule(
            client, submission.package, title, expression, submission.experiment, submission.service_account
        )
        read = f"{expression} {loaded.config.cluster.time_zone}"
        echo(f"{'replaced' if replaced else 'made'} schedule {title} ({identity}): {read}")
    elif pause:
        pause_schedule(client, title)
        echo(f"schedule {title} is paused")
    elif resume:
        resume_schedule(client, title)
        echo(f"schedule {title} is on again; missed times are skipped")
    else:
        delete_schedule(client, title)
        echo(f"schedule {title} is deleted; its runs stay")


def _show_schedules(client: "Client") -> None:
    from pipelines.cluster.schedule import list_schedules
    from pipelines.printing import print_line, print_table

    schedules = list_schedules(client)
    if not schedules:
        print_line("there are no schedules")
        return
    rows = [[each.name, each.cron, "on" if each.enabled else "paused", each.identity] for each in schedules]
    print_table("", ("schedule", "cron", "state", "id"), rows, left=4)
