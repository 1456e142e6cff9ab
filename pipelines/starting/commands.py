"""`plimsoll init` and `plimsoll doctor`."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def add_starting_commands(app: typer.Typer) -> None:
    """Adds the commands of the first hour."""
    app.command(epilog="Example: plimsoll init support.yaml --base models/qwen --data train.jsonl")(init)


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The config to write.")] = Path("plimsoll.yaml"),
    base: Annotated[str | None, typer.Option(metavar="MODEL", help="Base model: a directory, or a hub id.")] = None,
    revision: Annotated[str | None, typer.Option(metavar="COMMIT", help="Commit of a hub model.")] = None,
    data: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Training rows: a file or folder, or s3://.")
    ] = None,
    prompt_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the user's text, if no format names it.")
    ] = None,
    completion_column: Annotated[str | None, typer.Option(metavar="NAME", help="Column of the answer.")] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", help="A shipped policy or a file; default: standard.")
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A shipped suite or a file; repeatable. Default: those the policy needs."),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the pipeline; default: FILE's.")] = None,
    model_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Registered model in MLflow; default: the pipeline's name.")
    ] = None,
    tracking: Annotated[str | None, typer.Option(metavar="URI", help="MLflow store; default: a sqlite file.")] = None,
    store: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Store of answers and adapters; default: .plimsoll/store.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replaces FILE if it exists.")] = False,
) -> None:
    """Writes a commented config for your own model and data, which passes `plimsoll config check`.

    What no option says is asked; without a terminal the defaults are taken. Shipped policies and suites are copied into
    configs/, so that they are yours to version and to change. A file that exists is not replaced.
    """
    from components.shared.config.sections import Columns
    from components.shared.errors import ConfigError
    from pipelines.starting.questions import Interview, Told
    from pipelines.starting.writing import write_config

    if file.suffix not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{str(file)!r} does not end in .yaml", param_hint="FILE")
    if file.exists() and not force:
        raise ConfigError(f"{file}: exists already; choose another name, or replace it with --force")
    if (prompt_column is None) != (completion_column is None):
        raise typer.BadParameter("give both columns, or none", param_hint="--prompt-column")
    columns = None
    if prompt_column is not None and completion_column is not None:
        columns = Columns(prompt=prompt_column, completion=completion_column)
    told = Told(base, revision, data, columns, policy, tuple(suite or ()), name, model_name, tracking, store)
    write_config(Interview(told, sys.stdin.isatty()).config(file))
