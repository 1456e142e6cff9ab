"""The last lines of a run: the table, the decision, and where to look."""

import typer

from components.shared.artifacts.decision import Decision
from components.shared.config.sections import PipelineConfig
from pipelines.running.console import show_decision
from pipelines.running.launch import Outcome


def show_outcome(outcome: Outcome, config: PipelineConfig) -> None:
    """Prints how a run ended. A run that failed prints no decision, even where one had been reached."""
    typer.echo()
    if outcome.error is not None:
        typer.echo(f"error: the run failed: {outcome.error}", err=True)
        typer.echo(f"  full log: {outcome.log}", err=True)
        typer.echo(f"  MLflow run: {outcome.run_id} in experiment {config.tracking.experiment!r}", err=True)
        return
    if outcome.report is not None and outcome.report.gate is not None:
        show_decision(outcome.report.gate)
        if config.note:
            typer.echo(f"  note: {config.note}")
        if outcome.report.gate.decision is Decision.NEEDS_REVIEW:
            typer.echo(f"  review it: plimsoll review {outcome.run_id}")
        if outcome.report.model_version is not None:
            name, version = outcome.report.model_name, outcome.report.model_version
            typer.echo(f"  registered: models:/{name}@champion is version {version}")
    typer.echo(
        f"  in MLflow: experiment {config.tracking.experiment!r}, run {outcome.run_id}, artifact report.md "
        "(`plimsoll ui`)"
    )
