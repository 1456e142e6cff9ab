"""`plimsoll demo`."""

from typing import Annotated

import typer


def add_demo_command(app: typer.Typer) -> None:
    """Adds the command of the demo."""
    app.command(epilog="Example: plimsoll demo --seed 1")(demo)


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
