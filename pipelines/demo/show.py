"""The demo: two fine-tunings of the toy model go through the whole graph; one is rejected, one is promoted.

Both learn the same task; the careful one also has safety and replay rows in its data. Each is an ordinary `plimsoll
run`. The second starts when the first has evaluated the base model, and reuses that evaluation. The demo shows that the
machinery works; a model of under a million parameters says nothing about how far a large one degrades.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import NamedTuple

from components.shared.artifacts.decision import Decision
from components.shared.progress import duration, stage_of
from pipelines.demo.data import write_data
from pipelines.demo.toy_base import ensure_base_model
from pipelines.exit_codes import DECISION_CODES, FAILURE
from pipelines.printing import echo
from pipelines.running.console import StageDisplay

DEMO_DIR = Path(".plimsoll/demo")
_BASELINE_KNOWN = "[evaluate_safety_baseline] pass rates"


class Act(NamedTuple):
    """One fine-tuning of the demo and its expected decision."""

    name: str
    config: str
    expected: Decision


class Performed(NamedTuple):
    """How an act ended: its exit code, and its output without the stages' lines."""

    exit_code: int
    summary: str


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
    with closing(StageDisplay(sys.stdout)) as display:
        base = ensure_base_model(directory / "models", lambda text: display.show(f"[demo] {text}"))
        link = directory / "base"
        fresh = directory / ".base.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(base.relative_to(directory))
        fresh.replace(link)
        data = write_data(directory / "data")
        display.show(f"[demo] training rows: {', '.join(str(path) for path in data)}")
    return link


def run_demo(seed: int, fresh: bool) -> int:
    """Runs both fine-tunings and prints their results.

    Args:
        seed: of both fine-tunings.
        fresh: whether stored answers and adapters are not reused.

    Returns:
        Exit code: 0 when the careless one was rejected and the careful one promoted.
    """
    started = time.monotonic()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # at the toy's size two threads are half as fast as one
    options = ["--set", f"recipe.seed={seed}", *(["--fresh"] if fresh else [])]
    careless, careful = ACTS
    baseline_known = Event()
    with closing(StageDisplay(sys.stdout)) as display, ThreadPoolExecutor(len(ACTS)) as pool:
        first = pool.submit(_perform, careless, options, display, baseline_known)
        baseline_known.wait()
        second = pool.submit(_perform, careful, options, display, Event())
        performed = {careless: first.result(), careful: second.result()}
    for act, ended in performed.items():
        echo(f"\n=== {act.name} fine-tuning ({act.config}, seed {seed}) ===\n{ended.summary}")
    echo(f"=== both, in {duration(time.monotonic() - started)} ===\n")
    for act, ended in performed.items():
        echo(f"  {act.name}: exit code of `plimsoll run` {ended.exit_code}, expected {_expected(act)}")
    echo(
        "\nThe toy model proves that the machinery works; it says nothing about how far large models degrade.\n"
        "Browse both runs with `plimsoll ui` (or `make ui`): experiment plimsoll-demo, artifacts report.md, drops.png."
    )
    surprises = [act for act, ended in performed.items() if ended.exit_code != DECISION_CODES[act.expected]]
    for act in surprises:
        echo(f"error: {act.name} was expected to end as {act.expected.value}", err=True)
    return FAILURE if surprises else 0


def _expected(act: Act) -> str:
    return f"{DECISION_CODES[act.expected]} ({act.expected.value})"


def _perform(act: Act, options: Sequence[str], display: StageDisplay, baseline_known: Event) -> Performed:
    """Executes one `plimsoll run`; shows the stages' lines at once, and returns the rest for the end."""
    command = [sys.executable, "-m", "pipelines", "run", act.config, *options]
    rest = []
    with subprocess.Popen(  # noqa: S603 - our own module, with our own arguments
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            if stage_of(line) is not None:
                display.show(line.rstrip(), act.name)
                if _BASELINE_KNOWN in line:
                    baseline_known.set()
            elif "mlflow.store.db" not in line:
                rest.append(line)
    display.end_stages(act.name)
    baseline_known.set()
    return Performed(process.returncode, "".join(rest))
