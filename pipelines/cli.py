"""The command line, `plimsoll`. Thin: it parses, calls, prints and turns errors into exit codes.

Nothing heavy is imported until a command needs it: `plimsoll --help` answers at once.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from components.shared.errors import PlimsollError
from pipelines.calibration.commands import gate_app
from pipelines.cluster.commands import add_cluster_commands
from pipelines.cluster.options import warn_of_local_addresses
from pipelines.evidence.audit_commands import audit_app
from pipelines.evidence.commands import add_commands
from pipelines.judging.commands import judge_app
from pipelines.policies.commands import policy_app
from pipelines.review.commands import review, rollback
from pipelines.suites.commands import suites_app

app = typer.Typer(
    name="plimsoll",
    help="Fine-tunes an aligned language model and registers the adapter only if it did not become less safe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Looks at configs.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")
app.add_typer(config_app, name="config")
app.add_typer(gate_app, name="gate")
app.add_typer(judge_app, name="judge")
app.add_typer(policy_app, name="policy")
app.add_typer(suites_app, name="suites")

Config = Annotated[str, typer.Argument(metavar="CONFIG", help="Pipeline config: a YAML file or s3:// address.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replaces a value, e.g. recipe.seed=1; repeatable."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Shows kfp's own lines as well.")]


@app.command(
    epilog="Example: plimsoll run configs/pipelines/demo-careful.yaml --set recipe.seed=1",
)
def run(
    config: Config,
    overrides: Overrides = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Reuses no stored answers and no stored adapter.")] = False,
    verbose: Verbose = False,
    runner: Annotated[
        Literal["subprocess", "docker"],
        typer.Option(help="subprocess: tasks are processes here. docker: each runs in a container of its image."),
    ] = "subprocess",
) -> None:
    """Runs the whole graph on this machine.

    Exit codes: 0 promote, 10 reject, 11 needs review, 12 insufficient evidence, 13 invalid; 2 wrong input, 1 failure.
    """
    from pipelines.running.launch import load, run_local
    from pipelines.running.summary import show_outcome

    loaded = load(config, [*(overrides or []), *(["reuse=false"] if fresh else [])])
    outcome = run_local(loaded, verbose, runner)
    show_outcome(outcome, loaded.config)
    raise typer.Exit(outcome.exit_code)


@app.command(
    name="compile",
    epilog="Example: plimsoll compile configs/pipelines/demo-careful.yaml -o pipeline.yaml",
)
def compile_command(
    config: Config,
    output: Annotated[Path, typer.Option("--output", "-o", help="The YAML file to write.")],
    overrides: Overrides = None,
) -> None:
    """Compiles the graph to Kubeflow's pipeline YAML."""
    from pipelines.running.launch import compile_pipeline, load

    if output.suffix not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{str(output)!r} does not end in .yaml", param_hint="--output")
    loaded = load(config, overrides or [])
    warn_of_local_addresses(loaded.config)
    compile_pipeline(loaded, output)
    typer.echo(f"wrote {output}")


@app.command(epilog="Example: plimsoll ui --port 5000")
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
    typer.echo(f"MLflow UI on http://{host}:{port} (stop with Ctrl-C)")
    sys.stdout.flush()
    arguments = ["--backend-store-uri", tracking.uri, "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *arguments])  # noqa: S606


@app.command(epilog="Example: plimsoll demo --seed 1")
def demo(
    seed: Annotated[int, typer.Option(help="Seed of both fine-tunings.", min=0)] = 0,
    prepare: Annotated[bool, typer.Option("--prepare", help="Only makes the toy base model and its data.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Reuses no stored answers and no stored adapter.")] = False,
) -> None:
    """Runs two fine-tunings of a toy model: a careless one that is rejected, a careful one that is promoted."""
    from pipelines.demo.show import prepare_demo, run_demo

    prepare_demo()
    if not prepare:
        raise typer.Exit(run_demo(seed, fresh))


@config_app.command(name="schema", epilog="Example: plimsoll config schema --of policy")
def config_schema(
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
    typer.echo(json.dumps(models[of].model_json_schema(), indent=2))


@config_app.command(name="check", epilog="Example: plimsoll config check configs/pipelines/demo-careful.yaml")
def config_check(config: Config, overrides: Overrides = None) -> None:
    """Checks a config, its policy, suites, data and base model, and runs nothing."""
    from components.shared.config.anchoring import anchor
    from pipelines.running.launch import WORK_DIR, load
    from pipelines.running.preflight import check_run

    loaded = load(config, overrides or [])
    check_run(anchor(loaded.config, Path.cwd()), loaded.policy, WORK_DIR)
    typer.echo(f"{config}: nothing to object to")


add_commands(app)
add_cluster_commands(app)
app.command(epilog="Example: plimsoll review 20260102-101500-ab12 --show")(review)
app.command(epilog="Example: plimsoll rollback plimsoll-demo --reason 'It answers what it should refuse.'")(rollback)


def main() -> None:
    """The console script: an error that a user can act on becomes one message and an exit code."""
    from pipelines.exit_codes import FAILURE, error_code

    try:
        app()
    except PlimsollError as error:
        typer.echo(f"error: {error}", err=True)
        for note in getattr(error, "__notes__", []):
            typer.echo(f"  {note}", err=True)
        sys.exit(error_code(type(error).__name__))
    except KeyboardInterrupt:
        typer.echo("error: interrupted", err=True)
        sys.exit(FAILURE)
