"""`plimsoll verify` recomputes a decision from its evidence; `plimsoll replay` draws its answers again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.printing import echo, echo_json

if TYPE_CHECKING:
    from pipelines.evidence.opening import OpenEvidence

RunOrDir = Annotated[
    str,
    typer.Argument(
        metavar="RUN_OR_DIR", help="An MLflow run id, the id that `plimsoll run` prints, or a directory of evidence."
    ),
]
ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="CONFIG", help="Pipeline config whose MLflow store holds the run."),
]


def add_commands(app: typer.Typer) -> None:
    """Registers both commands."""
    app.command(name="verify", epilog="Example: plimsoll verify 20260101-120000-ab12")(verify_command)
    app.command(name="replay", epilog="Example: plimsoll replay 20260101-120000-ab12 d-017")(replay_command)


def verify_command(
    run_or_dir: RunOrDir,
    config: ConfigOption = None,
    tracking_uri: Annotated[
        str | None, typer.Option("--tracking-uri", metavar="URI", help="The MLflow store, instead of a config's.")
    ] = None,
    log: Annotated[
        str | None,
        typer.Option("--log", metavar="ADDRESS", help="The audit log, instead of the one of the run or its config."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of a table.")] = False,
) -> None:
    """Recomputes a decision from its raw verdicts and policy, checks every byte of its evidence, asks the audit log.

    A directory is compared with a log only if --log or --config names it.

    Exit codes: 0 verified, whatever the decision; 1 something differs, or a failure; 2 wrong input.
    """
    from components.shared.verification.verifier import verify
    from pipelines.evidence.audited import log_of
    from pipelines.evidence.opening import open_evidence
    from pipelines.evidence.tables import show_verification
    from pipelines.exit_codes import FAILURE

    with open_evidence(run_or_dir, config, tracking_uri) as evidence:
        decision, differences = verify(evidence.folder)
        address = log_of(evidence, log)
        if decision is not None:
            differences += _differences_outside(evidence, decision, address)
        if as_json:
            content = {
                "verified": not differences,
                "decision": decision,
                "audit_log": address,
                "differences": differences,
            }
            echo_json(content)
        else:
            show_verification(run_or_dir, evidence.folder, decision, differences, address)
    raise typer.Exit(FAILURE if differences else 0)


def _differences_outside(evidence: "OpenEvidence", decision: str, address: str | None) -> list[str]:
    """What the MLflow run's tags and the audit log say otherwise."""
    from components.shared.verification.evidence_files import DECISION_FILE
    from pipelines.evidence.audited import audit_differences

    content = json.loads((evidence.folder / DECISION_FILE).read_text(encoding="utf-8"))["content"]
    differences, tags = [], {}
    if evidence.run is not None:
        tags = evidence.run.tags
        expected = {"decision": decision, "pipeline_run": content["pipeline_run"]}
        differences = [
            f"MLflow run, tag plimsoll.{name}: found {tags.get(f'plimsoll.{name}')!r}, expected {value!r}"
            for name, value in expected.items()
            if tags.get(f"plimsoll.{name}") != value
        ]
    return differences + (audit_differences(address, content, tags) if address is not None else [])


def replay_command(
    run_or_dir: RunOrDir,
    prompt_id: Annotated[
        str | None, typer.Argument(metavar="PROMPT_ID", help="The prompt; without one the witnesses are listed.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=0, help="Only this answer, counted from 0; default all.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="CONFIG", help="The run's pipeline config; needed for a directory."),
    ] = None,
    tracking_uri: Annotated[
        str | None, typer.Option("--tracking-uri", metavar="URI", help="The MLflow store, instead of a config's.")
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option("--adapter", metavar="DIR", help="The adapter's files, where no store has them.")
    ] = None,
) -> None:
    """Draws the base's and the adapter's answers to a prompt again, and says whether they equal the stored ones.

    Exit codes: 0 identical; 1 not identical, or a failure; 2 wrong input.
    """
    from pipelines.evidence.opening import open_evidence
    from pipelines.evidence.tables import show_replay, show_witnesses
    from pipelines.exit_codes import FAILURE

    with open_evidence(run_or_dir, config, tracking_uri) as evidence:
        if prompt_id is None:
            show_witnesses(evidence.folder)
            return
        from pipelines.evidence.replay import replay

        replayed = replay(evidence, prompt_id, sample, adapter, lambda line: echo(f"[replay] {line}", err=True))
    show_replay(replayed)
    raise typer.Exit(0 if replayed.identical else FAILURE)
