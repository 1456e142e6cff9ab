"""The config that a command takes, and `--set`, in one wording for all commands."""

from typing import Annotated

import typer

Config = Annotated[str, typer.Argument(metavar="CONFIG", help="Pipeline config: a YAML file or s3:// address.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replaces a value, e.g. recipe.seed=1; repeatable."),
]
