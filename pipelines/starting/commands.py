"""`plimsoll init` and `plimsoll doctor`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.config_argument import Overrides


def add_starting_commands(app: typer.Typer) -> None:
    """Adds the commands of the first hour."""
    app.command(epilog="Example: plimsoll init support.yaml --base models/qwen --data train.jsonl")(init)
    app.command(epilog="Example: plimsoll doctor configs/pipelines/demo-careful.yaml")(doctor)


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
    for option, column in (("--prompt-column", prompt_column), ("--completion-column", completion_column)):
        if column == "":
            raise typer.BadParameter("got ''; expected the name of a column", param_hint=option)
    columns = None
    if prompt_column is not None and completion_column is not None:
        columns = Columns(prompt=prompt_column, completion=completion_column)
    told = Told(base, revision, data, columns, policy, tuple(suite or ()), name, model_name, tracking, store)
    write_config(Interview(told, sys.stdin.isatty()).config(file))


def doctor(
    config: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG]", help="Pipeline config: a YAML file or s3:// address. Default: the machine alone."
        ),
    ] = None,
    overrides: Overrides = None,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="The steps run on a cluster: this machine need not reach or have everything."),
    ] = False,
) -> None:
    """Says what this machine has and lacks for a run: software, GPUs, memory, disk, stores, credentials.

    Memory is an estimate from the sizes of the model and the recipe (docs/models.md). No weights are loaded or
    downloaded, and only the names of credentials are shown.
    Exit codes: 0 nothing stops a run, though there may be warnings; 2 something does.
    """
    from pipelines.exit_codes import USAGE
    from pipelines.starting.diagnosis import machine_symptoms
    from pipelines.starting.tables import show_symptoms

    symptoms = [*machine_symptoms(cluster)]
    if config is not None:
        from pipelines.running.launch import load
        from pipelines.starting.config_diagnosis import examine

        symptoms += examine(load(config, overrides or []), cluster)
    show_symptoms(symptoms)
    if any(symptom.state == "problem" for symptom in symptoms):
        raise typer.Exit(USAGE)
