"""The demo: two fine-tunings of the toy model go through the whole graph, one is rejected, one is promoted.

Both learn the same task. The careless one learns nothing else; the careful one keeps safety and replay rows in
its data. The gate is not told which is which. What the demo shows is that the machinery works; a model of under a
million parameters says nothing about how far a large one degrades.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import typer

from components.shared.artifacts.decision import Decision
from components.shared.config.policy import TASK_CATEGORY
from components.shared.progress import speaker
from pipelines.demo.base_model import ensure_base_model
from pipelines.demo.data import write_data
from pipelines.exit_codes import DECISION_CODES, FAILURE, USAGE
from pipelines.launch import Outcome, load, run_local
from pipelines.summary import show_outcome

DEMO_DIR = Path(".plimsoll/demo")
BASE_LINK = DEMO_DIR / "base"


class Act(NamedTuple):
    """One fine-tuning of the demo and what should come of it."""

    name: str
    config: str
    expected: Decision


ACTS = (
    Act("careless", "configs/pipelines/demo-careless.yaml", Decision.REJECT),
    Act("careful", "configs/pipelines/demo-careful.yaml", Decision.PROMOTE),
)


def prepare_demo(directory: Path = DEMO_DIR) -> Path:
    """Makes the toy base model and the training rows where they are missing.

    Args:
        directory: receives `base` (a link to the model of the current recipe), the models and `data`.

    Returns:
        The link to the base model.
    """
    say = speaker("demo")
    base = ensure_base_model(directory / "models", say)
    link = directory / BASE_LINK.name
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(base.relative_to(directory))
    fresh.replace(link)
    data = write_data(directory / "data")
    say(f"training rows: {', '.join(str(path) for path in data)}")
    return link


def run_demo(seed: int, fresh: bool) -> int:
    """Runs both fine-tunings and prints what came of them.

    Args:
        seed: of both fine-tunings.
        fresh: whether stored answers and adapters are left alone.

    Returns:
        Exit code: 0 when the careless one was rejected and the careful one promoted.
    """
    started = time.monotonic()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # at the toy's size two threads are half as fast as one
    overrides = [f"recipe.seed={seed}", *(["reuse=false"] if fresh else [])]
    outcomes = {}
    for act in ACTS:
        typer.echo(f"\n=== {act.name} fine-tuning ({act.config}, seed {seed}) ===\n")
        loaded = load(act.config, overrides)
        outcome = run_local(loaded)
        show_outcome(outcome, loaded.config)
        outcomes[act] = outcome
        if outcome.exit_code in (FAILURE, USAGE):
            return outcome.exit_code
    typer.echo(f"\n=== both, in {time.monotonic() - started:.0f} s ===\n")
    for act, outcome in outcomes.items():
        typer.echo(_line(act, outcome))
    typer.echo(
        "\nThe toy model proves that the machinery works; it says nothing about how far large models degrade.\n"
        "Browse both runs with `plimsoll ui` (or `make ui`): experiment plimsoll-demo, artifacts report.md, drops.png."
    )
    surprises = [act for act, outcome in outcomes.items() if outcome.exit_code != DECISION_CODES[act.expected]]
    for act in surprises:
        typer.echo(f"error: {act.name} was expected to end as {act.expected.value}", err=True)
    return FAILURE if surprises else 0


def _line(act: Act, outcome: Outcome) -> str:
    gate = outcome.report.gate if outcome.report is not None else None
    if gate is None:
        return f"  {act.name}: no decision"
    task = [reason.delta for reason in gate.reasons if reason.category == TASK_CATEGORY]
    learnt = "".join(f"; task {delta.before_pct:.0f} % -> {delta.after_pct:.0f} %" for delta in task)
    worst = max((r for r in gate.reasons if r.category != TASK_CATEGORY), key=lambda r: r.delta.drop_pp)
    return (
        f"  {act.name}: {gate.decision.headline}{learnt}; largest drop {worst.delta.drop_pp:+.1f} pp "
        f"({worst.category}); exit code of `plimsoll run` {outcome.exit_code}"
    )
