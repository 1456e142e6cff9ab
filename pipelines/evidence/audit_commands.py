"""`plimsoll audit ...`: shows what was done, by whom, when and why, and verifies that nobody changed the log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.printing import echo_json

if TYPE_CHECKING:
    from components.shared.audit import AuditEntry, AuditLog, Reading

audit_app = typer.Typer(help="Reads and verifies the audit log.", no_args_is_help=True)

_LONGEST_REASON = 120

Log = Annotated[
    str | None,
    typer.Option("--log", metavar="ADDRESS", help="The log: a file or s3://BUCKET/PREFIX; default: that of a config."),
]
Config = Annotated[
    str | None,
    typer.Option("--config", metavar="CONFIG", help="Take the log of this config; default: .plimsoll/audit.jsonl."),
]


@audit_app.command(epilog="Example: plimsoll audit verify --log .plimsoll/audit.jsonl")
def verify(
    log: Log = None,
    config: Config = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIGEST",
            help="An entry's digest that is kept elsewhere (MLflow tag plimsoll.audit_digest) and must be in the log; "
            "repeatable.",
        ),
    ] = None,
) -> None:
    """Finds every edited, removed, inserted or reordered entry.

    Exit codes: 0 the log was not changed; 1 it was, with a line for each problem; 2 wrong input.
    """
    from components.shared.audit import check_reading
    from components.shared.digests import short
    from pipelines.printing import print_line

    audit_log, reading = _read(log, config)
    problems = check_reading(reading, expect or [])
    for problem in problems:
        print_line(str(problem))
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        print_line(f"{audit_log.address}: {count}")
        raise typer.Exit(1)
    entries = list(reading.entries())
    count = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    print_line(f"{audit_log.address}: sound, {count}, the last {short(entries[-1].digest)} of {entries[-1].time}")


@audit_app.command(epilog="Example: plimsoll audit show --event decided")
def show(
    log: Log = None,
    config: Config = None,
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only entries of this pipeline run.")] = None,
    event: Annotated[str | None, typer.Option("--event", metavar="EVENT", help="Only entries of this event.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of a table.")] = False,
) -> None:
    """Shows the entries, oldest first; `plimsoll audit verify` checks whether any was changed."""
    from components.shared.audit import EVENTS

    if event is not None and event not in EVENTS:
        raise typer.BadParameter(f"{event!r}; expected one of {', '.join(EVENTS)}", param_hint="--event")
    entries = [
        entry
        for entry in _read(log, config)[1].entries()
        if run in (None, entry.pipeline_run) and event in (None, entry.event)
    ]
    if as_json:
        content = {"entries": [entry.model_dump(mode="json") for entry in entries]}
        echo_json(content)
        return
    _show(entries)


def _show(entries: "list[AuditEntry]") -> None:
    from components.shared.digests import short
    from pipelines.printing import one_line, print_table

    rows = [
        [
            str(entry.sequence),
            entry.time,
            entry.event,
            one_line(entry.who, 24),
            entry.pipeline_run,
            one_line(entry.why, _LONGEST_REASON),
            short(entry.digest),
        ]
        for entry in entries
    ]
    columns = ("", "time", "event", "who", "run", "why", "digest")
    print_table("", columns, rows, left=len(columns))


def _read(log: str | None, config: str | None) -> "tuple[AuditLog, Reading]":
    """The log that the options name, and its entries.

    Raises:
        BadParameter: both are given, or there is no log.
    """
    from components.shared.audit import open_log
    from components.shared.config.sections import TrackingConfig

    if log is not None and config is not None:
        raise typer.BadParameter("give --log or --config, not both", param_hint="--log")
    address = log
    if config is not None:
        from components.shared.config.reading import load_pipeline_config

        address = load_pipeline_config(config).tracking.audit_log
    audit_log = open_log(address or TrackingConfig().audit_log)
    reading = audit_log.read()
    if not reading.lines and not reading.problems:
        raise typer.BadParameter(
            f"there is no audit log {audit_log.address!r} yet (looked from {Path.cwd()}); a run writes it",
            param_hint="--config" if config is not None else "--log",
        )
    return audit_log, reading
