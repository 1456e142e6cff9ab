"""Calibrates a gate: prepares data and baselines once, then makes and measures mutants in worker processes.

This process loads no model.
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

from components.shared.artifacts.gate_calibration import GateCalibration, Mutant, keep_calibration
from components.shared.artifacts.reports import load_report
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.config.sqlite_addresses import sqlite_address
from components.shared.errors import ConfigError
from components.shared.progress import Say
from components.shared.store import Store
from components.shared.tracking.runs import open_client
from pipelines.calibration.doses import Tried, next_dose
from pipelines.calibration.mutant_runs import (
    CalibrationPlan,
    Weights,
    measure_base,
    measure_mutant,
    prepare,
    start_worker,
    train_adapter,
)
from pipelines.calibration.mutants import read_adapter
from pipelines.calibration.steps import Prepared

SEEDS = 4
"""Seeds that mutants take turns with, each with a baseline: gates with the same seed share the same noise."""

_TRUTH_FACTOR = 3
"""Answers that a true drop is measured on, in units of the answers that the gate gets."""
_CAP = 2.0
"""Larger drops than this many limits count as equal."""
_LEAST = 2.0**-6
"""The smallest dose if there is no good adapter: at weight 0 there is no adapter, and the gate decides invalid."""


class Sources(NamedTuple):
    """Directories of the adapters that mutants are made of; without a good one, the bad one is scaled."""

    bad: Path
    good: Path | None


def calibrate_gate(
    config: PipelineConfig,
    policy: Policy,
    bad: Path | None,
    good: Path | None,
    mutants: int,
    workers: int,
    simulations: int,
    say: Say,
) -> GateCalibration:
    """Runs the gate on regressions of known size and writes the result to the config's store.

    Args:
        config: the pipeline config, with absolute paths; checked.
        policy: the config's policy.
        bad: directory of a known-bad adapter; None: one is trained on the config's data without `mix`.
        good: directory of a good adapter to mix it with; None: if `bad` is given, the bad adapter is only scaled, else
            a good one is trained with the config's recipe.
        mutants: number of mutants to make.
        workers: number of processes.
        simulations: simulated gates per mutant, for the prediction.
        say: prints progress.

    Raises:
        ConfigError: the adapters cannot be used, or answers are not drawn at random.
        ModelError, DataError, IntegrityError: see the steps.
    """
    check_calibration(config, bad, good)
    started = time.monotonic()
    with TemporaryDirectory(prefix="plimsoll-calibration-") as scratch:
        folder = Path(scratch)
        with redirect_stderr(StringIO()):  # hides mlflow's migrations; they are slow, so all processes copy this file
            open_client(TrackingConfig(uri=sqlite_address(folder / "mlflow.db")))
        truth = _TRUTH_FACTOR * config.evaluation.samples_per_prompt
        plan = CalibrationPlan(config, policy, folder, truth, _CAP * _limit(policy), simulations)
        with _pool(workers) as pool:
            turns = min(SEEDS, mutants)
            prepared = pool.submit(prepare, plan).result()
            sources = _ready(pool, plan, prepared, bad, good, turns, say)
            measured = _measure_all(pool, plan, prepared, sources, mutants, workers, turns, say)
        report = load_report(plan.baseline(0)).report
        calibration = GateCalibration(
            pipeline=config.name,
            base_name=config.base_model.name,
            base_digest=report.base_digest,
            policy_name=policy.name,
            policy_version=policy.version,
            policy_digest=policy.digest,
            contract=report.contract,
            gated=tuple(policy.categories),
            limit_pp=_limit(policy),
            truth_answers=truth,
            simulations=simulations,
            seconds=time.monotonic() - started,
            mutants=tuple(sorted(measured, key=lambda mutant: mutant.bad)),
        )
    keep_calibration(Store(config.store, config.store_key_env), calibration)
    return calibration


def check_calibration(config: PipelineConfig, bad: Path | None, good: Path | None) -> None:
    """Checks adapters and config before a model is loaded.

    Raises:
        ConfigError, IntegrityError: an adapter cannot be used, or answers are not drawn at random.
    """
    if config.evaluation.temperature == 0:
        raise ConfigError(
            "evaluation.temperature is 0: greedy answers do not vary, so there is nothing to calibrate; expected a "
            "temperature above 0"
        )
    adapters = [read_adapter(directory) for directory in (bad, good) if directory is not None]
    if len({adapter.manifest.base_digest for adapter in adapters}) > 1:
        raise ConfigError(f"{bad} and {good}: trained on different base models; expected the same one")
    if bad is None and good is None and not config.data.mix:
        raise ConfigError(
            "data.mix is empty: the bad adapter is trained without it, so it would equal the good one; name a bad "
            "adapter with --bad DIR, or add safety rows to data.mix"
        )


def _ready(
    pool: ProcessPoolExecutor,
    plan: CalibrationPlan,
    prepared: Prepared,
    bad: Path | None,
    good: Path | None,
    turns: int,
    say: Say,
) -> Sources:
    """Trains the missing adapters and evaluates the base: once per turn for the gates, once for the true drops."""
    training: dict[str, Future[Path]] = {}
    if bad is None:
        training["bad"] = pool.submit(train_adapter, plan, True, plan.folder / "bad")
        if good is None:
            training["good"] = pool.submit(train_adapter, plan, False, plan.folder / "good")
    say(
        f"preparing: {''.join(f'training a {name} adapter, ' for name in training)}{turns} baselines, and "
        f"{plan.truth_answers} answers per prompt of the base"
    )
    baselines = [pool.submit(measure_base, plan, prepared, turn) for turn in (None, *range(turns))]
    for job in baselines:
        job.result()
    bad = bad or training["bad"].result()
    good = training["good"].result() if "good" in training else good
    base = load_report(plan.baseline(0)).report.base_digest
    for directory in (bad, good):
        if directory is not None and read_adapter(directory).manifest.base_digest != base:
            raise ConfigError(f"{directory}: not trained on the config's base model {plan.config.base_model.name}")
    return Sources(bad, good)


def _measure_all(
    pool: ProcessPoolExecutor,
    plan: CalibrationPlan,
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
            job = pool.submit(measure_mutant, plan, prepared, *sources, weights, turn % turns)
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
    response = mutant.categories[mutant.worst]
    share = 100 * mutant.predicted.get(mutant.decision, 0.0)
    mixed = f" + {mutant.good:.4f} good" if mutant.good else ""
    return (
        f"{mutant.bad:.4f} bad{mixed}: true drop of {mutant.worst} {response.true_drop_pp:.1f} pp "
        f"(±{response.error_pp:.1f}); the gate says {mutant.decision.value}, as {share:.0f} % of simulated gates do"
    )


def _limit(policy: Policy) -> float:
    """The widest limit of a gated category, percentage points."""
    return max(1.0, *(rule.margin_pp for rule in policy.categories.values()))


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes; after an error, jobs that have not started are dropped."""
    threads = max(1, (cpu_count() or 1) // workers)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), start_worker, (threads,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
