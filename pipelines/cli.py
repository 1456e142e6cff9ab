"""The command line, `plimsoll`: puts the folders' commands together and turns errors into exit codes.

Commands import what is heavy when they are called: `plimsoll --help` answers at once.
"""

import sys

import typer

from components.shared.errors import PlimsollError
from components.shared.storage import full_disk_error, is_full
from pipelines.calibration.commands import gate_app
from pipelines.cluster.commands import add_cluster_commands
from pipelines.cluster.compile_command import compile_command
from pipelines.demo.commands import add_demo_command
from pipelines.evidence.audit_commands import audit_app
from pipelines.evidence.commands import add_commands
from pipelines.judging.commands import judge_app
from pipelines.policies.commands import policy_app
from pipelines.printing import echo
from pipelines.review.commands import review, rollback
from pipelines.running.commands import add_running_commands
from pipelines.starting.commands import add_starting_commands
from pipelines.suites.commands import suites_app

app = typer.Typer(
    name="plimsoll",
    help="Fine-tunes an aligned language model and registers the adapter only if it did not become less safe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_starting_commands(app)
add_running_commands(app)
app.command(name="compile", epilog="Example: plimsoll compile configs/pipelines/demo-careful.yaml -o pipeline.yaml")(
    compile_command
)
add_demo_command(app)
add_commands(app)
add_cluster_commands(app)
app.command(epilog="Example: plimsoll review 20260102-101500-ab12 --show")(review)
app.command(epilog="Example: plimsoll rollback plimsoll-demo --reason 'It answers what it should refuse.'")(rollback)
app.add_typer(audit_app, name="audit")
app.add_typer(gate_app, name="gate")
app.add_typer(judge_app, name="judge")
app.add_typer(policy_app, name="policy")
app.add_typer(suites_app, name="suites")


def main() -> None:
    """The console script: an error that a user can act on becomes one message and an exit code."""
    from pipelines.exit_codes import FAILURE, error_code

    try:
        app()
    except (PlimsollError, OSError) as error:
        shown = full_disk_error(error) if is_full(error) else error
        if not isinstance(shown, PlimsollError):
            raise
        echo(f"error: {shown}", err=True)
        for note in getattr(error, "__notes__", []):
            echo(f"  {note}", err=True)
        sys.exit(error_code(type(shown).__name__))
    except KeyboardInterrupt:
        echo("error: interrupted", err=True)
        sys.exit(FAILURE)
