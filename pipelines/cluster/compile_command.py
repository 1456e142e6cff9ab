"""`plimsoll compile`: the pipeline as a file for any Kubeflow server."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cluster.options import NoCheck, check_for_cluster
from pipelines.config_argument import Config, Overrides
from pipelines.printing import echo


def compile_command(
    config: Config,
    output: Annotated[Path, typer.Option("--output", "-o", help="The YAML file to write.")],
    overrides: Overrides = None,
    no_check: NoCheck = False,
) -> None:
    """Checks what a run needs, as far as this machine reaches it, and compiles the graph to Kubeflow's YAML."""
    from pipelines.running.launch import compile_pipeline, load

    if output.suffix not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{str(output)!r} does not end in .yaml", param_hint="--output")
    loaded = load(config, overrides or [])
    check_for_cluster(loaded, no_check)
    compile_pipeline(loaded, output)
    echo(f"wrote {output}")
