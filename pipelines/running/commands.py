"""`plimsoll run`, `ui`, `config check` and `config schema`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.config_argument import Config, Overrides
from pipelines.printing import echo

config_app = typer.Typer(help="Looks at configs.", no_args_is_help=True)


def add_running_commands(app: typer.Typer) -> None:
    """Adds the commands of runs on this machine."""
    app.command(epilog="Example: plimsoll run configs/pipelines/demo-careful.yaml --set recipe.seed=1")(run)
    app.command(epilog="Example: plimsoll ui --port 5000")(ui)
    app.add_typer(config_app, name="config")


def run(
    config: Config,
    overrides: Overrides = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Reuses no stored answers and no stored adapter.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Shows kfp's own lines as well.")] = False,
    runner: Annotated[
        Literal["subprocess", "docker"],
        typer.Option(help="subprocess: tasks are processes here. docker: each runs in a container of its image."),
    ] = "subprocess",
) -> None:
    """Runs the whole graph on this machine.

    Exit codes: 0 promote, 10 reject, 11 needs review, 12 insufficient evidence, 13 invalid; 2 wrong input, 1 failure.
    """
    from pipelines.running.launch import load, run_local
    from pipelines.running.tables import show_result

    loaded = load(config, [*(overrides or []), *(["reuse=false"] if fresh else [])])
    result = run_local(loaded, verbose, runner)
    show_result(result, loaded.config)
    raise typer.Exit(result.exit_code)


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="CONFIG", help="Take the store of this config."),
    ] = None,
) -> None:
    """Opens the MLflow UI on the local store."""
    from components.shared.config.sections import TrackingConfig

    tracking = TrackingConfig()
    if config is not None:
        from pipelines.running.launch import load

        tracking = load(config).config.tracking
    if tracking.sqlite_file is not None and not tracking.sqlite_file.exists():
        raise typer.BadParameter(
            f"there is no MLflow store {str(tracking.sqlite_file)!r} in {Path.cwd()} yet; `plimsoll run CONFIG` or "
            "`make demo` makes one",
            param_hint="--config",
        )
    echo(f"MLflow UI on http://{host}:{port} (stop with Ctrl-C)")
    sys.stdout.flush()
    arguments = ["--backend-store-uri", tracking.uri, "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *arguments])  # noqa: S606


@config_app.command(epilog="Example: plimsoll config schema --of policy")
def schema(
    of: Annotated[str, typer.Option(help="pipeline, policy or suite.")] = "pipeline",
) -> None:
    """Prints the JSON schema of a config file."""
    from pydantic import BaseModel

    from components.shared.config.policy import Policy
    from components.shared.config.sections import PipelineConfig
    from components.shared.suites.suite_files import SuiteFile

    models: dict[str, type[BaseModel]] = {"pipeline": PipelineConfig, "policy": Policy, "suite": SuiteFile}
    if of not in models:
        raise typer.BadParameter(f"{of!r}; expected one of {', '.join(models)}", param_hint="--of")
    echo(json.dumps(models[of].model_json_schema(), indent=2))


@config_app.command(epilog="Example: plimsoll config check configs/pipelines/demo-careful.yaml")
def check(
    config: Config,
    overrides: Overrides = None,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="The steps run on a cluster: what this machine does not reach is no error."),
    ] = False,
) -> None:
    """Checks everything that a run needs without loading a model, prints what was checked, and runs nothing."""
    from components.shared.config.anchoring import anchor
    from pipelines.running.launch import WORK_DIR, load
    from pipelines.running.preflight import check_run

    loaded = load(config, overrides or [])
    checked = check_run(anchor(loaded.config, Path.cwd()), loaded.policy, None if cluster else WORK_DIR)
    for line in checked.done:
        echo(f"  {line}")
    for line in checked.cautions:
        echo(f"  caution: {line}")
    for line in checked.skipped:
        echo(f"  not checked: {line}")
    echo(f"{config}: ok")
