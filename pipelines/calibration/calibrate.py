"""Calibrates a gate: prepares once, then makes and measures mutants in several processes, each where it tells most.

This process loads no model. It does not know how a mutant is made or measured (`measure`).
"""

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from components.shared.artifacts.calibration_store import keep_calibration
from components.shared.artifacts.gate_calibration import Calibration, Mutant
from components.shared.artifacts.reports import load_report
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.errors import ConfigError
from components.shared.progress import Say
from components.shared.store import Store
from components.shared.tracking.runs import open_client
from pipelines.calibration.doses import Tried, next_dose
from pipelines.calibration.mutant_runs import Plan, Weights, measure, measure_base, prepare, start_worker, train
from pipelines.calibration.mutants import read_adapter
from pipelines.calibration.steps import Prepared

SEEDS = 4
"""Gates with one seed see the same chance, so mutants take turns with so many seeds, each with its own baseline."""

_TRUTH_FACTOR = 3
"""Answers behind a true drop, in units of the answers that the gate gets."""
_CAP = 2.0
"""Drops beyond this many limits are not told apart."""
_LEAST = 2.0**-6
"""The smallest dose where there is no good adapter: an adapter of weight 0 is none, and the gate calls it invalid."""


class Sources(NamedTuple):
    """The adapters that mutants are made of; without a good one the bad one is only scaled."""

    bad: Path
    good: Path | None


def calibrate(
    config: PipelineConfig,
    policy: Policy,
    bad: Path | None,
    good: Path | None,
    mutants: int,
    workers: int,
    simulations: int,
    say: Say,
) -> Calibration:
    """Makes regressions of known size, looks what the gate does with them, and keeps the result in the config's store.

    Args:
        config: with absolute paths; checked.
        policy: its policy.
        bad: directory of a known-bad adapter; None: one is trained on the config's data without `mix`.
        good: directory of a good adapter to mix it into; None: with `bad` given the bad one is scaled alone, else the
            config's own recipe makes the good one.
        mutants: how many to make.
        workers: processes.
        simulations: simulated gates per mutant behind each prediction.
        say: where progress goes.

    Raises:
        ConfigError: the adapters cannot be used, or answers are not drawn at random.
        ModelError, DataError, IntegrityError: see the steps.
    """
    check_calibration(config, bad, good)
    started = time.monotonic()
    with TemporaryDirectory(prefix="plimsoll-calibration-") as scratch:
        folder = Path(scratch)
        with redirect_stderr(StringIO()):  # mlflow reports its migrations, which are slow: once for all processes
            open_client(TrackingConfig(uri=f"sqlite:///{folder / 'mlflow.db'}"))
        truth = _TRUTH_FACTOR * config.evaluation.samples_per_prompt
        plan = Plan(config, policy, folder, truth, _CAP * _limit(policy), simulations)
        with _pool(workers) as pool:
            turns = min(SEEDS, mutants)
            prepared = pool.submit(prepare, plan).result()
            sources = _ready(pool, plan, prepared, bad, good, turns, say)
            measured = _measure_all(pool, plan, prepared, sources, mutants, workers, turns, say)
        report = load_report(plan.baseline(0)).report
        rules = policy.categories
        calibration = Calibration(
            pipeline=config.name,
            base_name=config.base_model.name,
            base_digest=report.base_digest,
            policy_name=policy.name,
            policy_version=policy.version,
            policy_digest=policy.digest,
            contract=report.contract,
            gated=tuple(rules),
            limit_pp=_limit(policy),
            truth_answers=truth,
            simulations=simulations,
            seconds=time.monotonic() - started,
            mutants=tuple(sorted(measured, key=lambda own: own.bad)),
        )
    keep_calibration(Store(config.store), calibration)
    return calibration


def check_calibration(config: PipelineConfig, bad: Path | None, good: Path | None) -> None:
    """Checks what can be checked before a model is loaded.

    Raises:
        ConfigError, IntegrityError: an adapter cannot be used, or answers are not drawn at random.
    """
    if config.evaluation.temperature == 0:
        raise ConfigError(
            "evaluation.temperature is 0: a greedy gate has no chance in it that a calibration could measure; "
            "expected a temperature above 0"
        )
    adapters = [read_adapter(directory) for directory in (bad, good) if directory is not None]
    if len({own.manifest.base_digest for own in adapters}) > 1:
        raise ConfigError(f"{bad} and {good}: were trained on different base models; expected one base")
    if bad is None and good is None and not config.data.mix:
        raise ConfigError(
            "data.mix is empty: a bad adapter, trained without it, would be the good one as well; name one with "
            "--bad DIR, or mix in safety rows"
        )


def _ready(
    pool: ProcessPoolExecutor,
    plan: Plan,
    prepared: Prepared,
    bad: Path | None,
    good: Path | None,
    turns: int,
    say: Say,
) -> Sources:
    """Trains what is missing, and evaluates the base: as every gate will, and with many answers."""
    made_bad = pool.submit(train, plan, True, plan.folder / "bad") if bad is None else None
    made_good = pool.submit(train, plan, False, plan.folder / "good") if bad is None and good is None else None
    say(
        f"preparing: {'training a bad adapter, ' if made_bad else ''}{'training a good adapter, ' if made_good else ''}"
        f"{turns} baselines, and {plan.truth_answers} answers per prompt of the base"
    )
    baselines = [pool.submit(measure_base, plan, prepared, turn) for turn in (None, *range(turns))]
    for job in baselines:
        job.result()
    found = Sources(
        made_bad.result() if made_bad is not None else _given(bad),
        made_good.result() if made_good is not None else good,
    )
    base = load_report(plan.baseline(0)).report.base_digest
    for directory in found:
        if directory is not None and read_adapter(directory).manifest.base_digest != base:
            raise ConfigError(f"{directory}: was trained on another base model than {plan.config.base_model.name}")
    return found


def _measure_all(
    pool: ProcessPoolExecutor,
    plan: Plan,
    prepared: Prepared,
    sources: Sources,
    count: int,
    workers: int,
    turns: int,
    say: Say,
) -> list[Mutant]:
    least = _LEAST if sources.good is None else 0.0
    running: dict[Future[Mutant], tuple[float, float]] = {}
    tried: list[Tried] = []
    done: list[Mutant] = []
    for turn in range(count + workers):
        if turn < count:
            waiting = [Tried(dose, None) for dose, _ in running.values()]
            dose = next_dose([*tried, *waiting], plan.cap_pp, least)
            weights = Weights(dose, 1 - dose if sources.good is not None else 0.0)
            job = pool.submit(measure, plan, prepared, *sources, weights, turn % turns)
            running[job] = (dose, time.monotonic())
        if len(running) < workers and turn < count - 1:
            continue
        for job in wait(running, return_when=FIRST_COMPLETED).done if running else ():
            dose, began = running.pop(job)
            mutant = job.result()
            tried.append(Tried(dose, mutant.drop_pp))
            done.append(mutant)
            say(f"{len(done)}/{count} {_line(mutant)}; {time.monotonic() - began:.0f} s")
    return done


def _line(mutant: Mutant) -> str:
    own = mutant.categories[mutant.worst]
    share = 100 * mutant.predicted.get(mutant.decision, 0.0)
    mixed = f" + {mutant.good:.4f} good" if mutant.good else ""
    return (
        f"{mutant.bad:.4f} bad{mixed}: {mutant.worst} truly drops {own.true_drop_pp:.1f} pp "
        f"(±{own.error_pp:.1f}); the gate says {mutant.decision.value}, as {share:.0f} % of simulated gates do"
    )


def _limit(policy: Policy) -> float:
    """The widest limit of a gated category, percentage points."""
    return max(1.0, *(rule.margin_pp for rule in policy.categories.values()))


def _given(bad: Path | None) -> Path:
    if bad is None:
        raise ValueError("no bad adapter is given, and none was trained")
    return bad


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that load torch once each; on an error what has not begun is dropped."""
    threads = max(1, (cpu_count() or 1) // workers)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), start_worker, (threads,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
