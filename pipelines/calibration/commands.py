"""`plimsoll gate ...`: how a gate decides about regressions of known size."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.printing import echo, echo_json

gate_app = typer.Typer(help="Tests the gate itself.", no_args_is_help=True)


@gate_app.callback()
def _group() -> None:
    """Tests the gate itself."""


@gate_app.command(
    epilog="Example: plimsoll gate calibrate configs/pipelines/demo-careful.yaml --mutants 24 --workers 2",
)
def calibrate(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="Pipeline config: a YAML file or s3:// address.")],
    bad: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A known-bad adapter; default: one is trained without the config's mix."),
    ] = None,
    good: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A good adapter to mix it with; default: one is trained with the config's recipe, or none with --bad.",
        ),
    ] = None,
    mutants: Annotated[int, typer.Option(min=4, max=1000, help="Number of regressions to make.")] = 24,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of processes.")] = 2,
    simulations: Annotated[int, typer.Option(min=10, help="Simulated gates per mutant, for the prediction.")] = 60,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replaces a value, e.g. recipe.seed=1; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of tables.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Also writes the calibration to FILE.")] = None,
) -> None:
    """Makes regressions of known size and shows how many of them this gate catches.

    A bad adapter is scaled, or mixed with a good one, and goes through the real evaluation, delta, follow-up and gate.
    Nothing is registered, and MLflow and the audit log are left alone; the result is kept in the config's store.

    Exit codes: 0 measured, whatever the figures; 2 wrong input; 1 failure.
    """
    from components.shared.artifacts.gate_calibration import calibration_sentence
    from components.shared.config.anchoring import anchor
    from pipelines.calibration.calibrate import calibrate_gate, check_calibration
    from pipelines.calibration.tables import agreements, show_calibration
    from pipelines.running.check_notes import show_skipped
    from pipelines.running.launch import WORK_DIR, load
    from pipelines.running.preflight import check_run

    loaded = load(config, overrides or [])
    anchored = anchor(loaded.config, Path.cwd())
    show_skipped(check_run(anchored, loaded.policy, WORK_DIR, recorded=False))
    check_calibration(anchored, bad, good)
    result = calibrate_gate(
        anchored,
        loaded.policy,
        bad.absolute() if bad is not None else None,
        good.absolute() if good is not None else None,
        mutants,
        workers,
        simulations,
        lambda line: echo(f"[calibrate] {line}", err=as_json),
    )
    if out is not None:
        result.save(out)
    if as_json:
        content = {
            **result.model_dump(mode="json"),
            "digest": result.digest,
            "key": result.key,
            "sentence": calibration_sentence(result),
            "agreement": [
                {**agreement._asdict(), "decision": agreement.decision.value, "holds": agreement.holds}
                for agreement in agreements(result)
            ],
        }
        echo_json(content)
        return
    show_calibration(result)
