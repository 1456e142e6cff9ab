"""`plimsoll compile`: the pipeline as a file for any Kubeflow server."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cluster.options import warn_of_local_addresses
from pipelines.config_argument import Config, Overrides


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
