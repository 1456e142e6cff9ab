"""The options that `plimsoll review` and `plimsoll rollback` share, and what they stand for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from components.shared.config.sections import PipelineConfig, TrackingConfig

Config = Annotated[
    str | None,
    typer.Option("--config", metavar="CONFIG", help="Config of the pipeline; default: the one that the run recorded."),
]
TrackingUri = Annotated[
    str | None,
    typer.Option("--tracking-uri", metavar="URI", help="MLflow store, instead of the config's or the local one."),
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Your name; default: PLIMSOLL_USER, else USER.")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence.")]
AsJson = Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of text.")]


def reviewer_of(name: str | None) -> str:
    """The name of the person who acts.

    Raises:
        BadParameter: neither the option nor the environment names anybody.
    """
    from components.shared.audit.actor import who_acts

    who = (who_acts() if name is None else name).strip()
    if not who or (name is None and who == "unknown"):
        raise typer.BadParameter("nobody is named; set PLIMSOLL_USER or give a name", param_hint="--name")
    return who


def store_of(config: str | None, tracking_uri: str | None) -> "tuple[TrackingConfig, PipelineConfig | None]":
    """The store with absolute local paths, and the config where one is named.

    Raises:
        BadParameter: the address is malformed, or there is no such local store.
    """
    from components.shared.config.anchoring import anchor, anchor_tracking
    from components.shared.config.sections import TrackingConfig
    from components.shared.redaction import redacted

    pipeline, tracking = None, TrackingConfig()
    if config is not None:
        from components.shared.config.reading import load_pipeline_config

        pipeline = anchor(load_pipeline_config(config), Path.cwd())
        tracking = pipeline.tracking
    if tracking_uri is not None:
        try:
            tracking = TrackingConfig.model_validate({**tracking.model_dump(), "uri": tracking_uri})
        except ValueError:
            raise typer.BadParameter(
                f"{redacted(tracking_uri)!r}; expected sqlite:///PATH, postgresql://... or http(s)://..., without a "
                "password: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or PGPASSWORD",
                param_hint="--tracking-uri",
            ) from None
    tracking = anchor_tracking(tracking, Path.cwd())
    if (database := tracking.sqlite_file) is not None and not database.exists():
        raise typer.BadParameter(
            f"there is no MLflow store {str(database)!r}; name the pipeline's with --config or --tracking-uri",
            param_hint="--tracking-uri",
        )
    return tracking, pipeline
