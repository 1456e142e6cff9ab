"""Measures one mutant in a worker process: the gate's decision, the true drop, and the predicted decision.

The true drop is measured on many more answers than the gate gets, drawn with another seed, so that it does not share
the gate's noise.
"""

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.decision import GateDecision
from components.shared.artifacts.gate_calibration import CategoryResponse, Mutant
from components.shared.artifacts.reports import load_report
from components.shared.artifacts.training_data import AdapterManifest, TrainingData
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig
from components.shared.gate.preconditions import Evidence
from components.shared.generation.adapters import adapter_digest
from components.shared.suites.prompt_sets import load_prompts
from pipelines.calibration.mutants import Dose, make_mutant, read_adapter
from pipelines.calibration.predict import known_answers, predict, true_drops
from pipelines.calibration.steps import Bench, GateRun, Prepared, open_bench

_TRUTH_SEED_SHIFT = 5_000_011
"""Added to the config's seed for the true drop; differs from the shifts of the follow-up and of the A/A pass."""
_SEED_STEP = 7_000_003
"""Distance between the seeds of two turns; far from every other shift."""


class CalibrationPlan(NamedTuple):
    """The settings of a calibration, the same in every process.

    Attributes:
        config: the pipeline config, with absolute paths.
        policy: the rules.
        folder: scratch folder, shared by all processes.
        truth_answers: answers per prompt and side that a true drop is measured on.
        cap_pp: if a drop's lower bound is above this, the true drop is measured on as few answers as the gate gets.
        simulations: simulated gates per mutant.
    """

    config: PipelineConfig
    policy: Policy
    folder: Path
    truth_answers: int
    cap_pp: float
    simulations: int

    def gate_evaluation(self, turn: int) -> EvaluationConfig:
        """Evaluation config of a turn's gates: the config's own, with another seed for each later turn."""
        return self._quick({"seed": self.config.evaluation.seed + turn * _SEED_STEP})

    def truth_evaluation(self, answers: int) -> EvaluationConfig:
        """Evaluation config of the true drop's answers; a run with fewer answers is a prefix of one with more."""
        seed = self.config.evaluation.seed + _TRUTH_SEED_SHIFT
        return self._quick({"seed": seed, "samples_per_prompt": answers})

    def baseline(self, turn: int) -> Path:
        """Folder of a turn's baseline report."""
        return self.folder / f"baseline-{turn}"

    @property
    def truth_before(self) -> Path:
        """Folder of the baseline report that true drops are measured against."""
        return self.folder / "baseline-truth"

    def _quick(self, changes: dict[str, object]) -> EvaluationConfig:
        """The config's evaluation in one process, without probes and A/A pass, which the decision does not use."""
        plain = {"workers": 1, "shards": 1, "probes": False, "noise_floor": False}
        return self.config.evaluation.model_copy(update={**plain, **changes})


class Weights(NamedTuple):
    """Weights of the bad and the good adapter's updates in a mutant; `good` is 0 if there is no good adapter."""

    bad: float
    good: float


def start_worker(threads: int) -> None:
    """Sets a worker's environment, before torch is imported."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _bench(plan: CalibrationPlan) -> Bench:
    return open_bench(plan.config, plan.policy, plan.folder)


def prepare(plan: CalibrationPlan) -> Prepared:
    """Runs prepare_data on the config's data."""
    return _bench(plan).prepare(plan.config.data, plan.folder / "prepared")


def train_adapter(plan: CalibrationPlan, without_mix: bool, target: Path) -> Path:
    """Fine-tunes with the config's recipe, or takes the adapter from the store.

    Args:
        plan: settings of the calibration.
        without_mix: leaves out safety and replay rows, so that nothing protects the base's behaviour.
        target: receives data and adapter.
    """
    data = plan.config.data.model_copy(update={"mix": ()}) if without_mix else plan.config.data
    bench = _bench(plan)
    return bench.train(bench.prepare(data, target), target / "adapter")


def measure_base(plan: CalibrationPlan, prepared: Prepared, turn: int | None) -> Path:
    """Evaluates the base: for a turn's gates, or with `turn` None for the true drops. Reuses the config's store."""
    evaluation = plan.truth_evaluation(plan.truth_answers) if turn is None else plan.gate_evaluation(turn)
    target = plan.truth_before if turn is None else plan.baseline(turn)
    return _bench(plan).evaluate(prepared.prompts, None, evaluation, plan.config.store, target)


def measure_mutant(
    plan: CalibrationPlan, prepared: Prepared, bad: Path, good: Path | None, weights: Weights, turn: int
) -> Mutant:
    """Makes a mutant, runs the gate on it and measures its true drop.

    Args:
        plan: settings of the calibration.
        prepared: data and prompts.
        bad: directory of the bad adapter.
        good: directory of the good adapter; None: the bad one is only scaled.
        weights: weights of both adapters.
        turn: the turn whose seed and baseline the gate uses.
    """
    bench = _bench(plan)
    folder = Path(bench.store).parent / "mutant"
    shutil.rmtree(folder, ignore_errors=True)
    doses = [Dose("bad", read_adapter(bad), weights.bad)]
    if good is not None:
        doses.append(Dose("good", read_adapter(good), weights.good))
    adapter = folder / "adapter"
    manifest = make_mutant(doses, prepared.data_digest, plan.policy.digest, adapter)
    bench.record_mutant(manifest)
    evaluation = plan.gate_evaluation(turn)
    run = bench.gate(prepared, adapter, plan.baseline(turn), evaluation, folder)
    evidence = _evidence(prepared, manifest, adapter, plan.baseline(turn), run)
    far_above = max(evidence.delta.categories[name].lower_pp for name in plan.policy.categories) > plan.cap_pp
    answers = evaluation.samples_per_prompt if far_above else plan.truth_answers
    truth = bench.evaluate(prepared.prompts, adapter, plan.truth_evaluation(answers), bench.store, folder / "truth")
    after = load_report(truth).rows
    asked = Counter(row.prompt_id for row in after)
    before = [row for row in load_report(plan.truth_before).rows if row.sample < asked[row.prompt_id]]
    known = known_answers(evidence.prompts, before, after)
    decision = GateDecision.load(run.decision / "gate_decision.json")
    predicted = predict(known, evidence, plan.policy, evaluation.samples_per_prompt, plan.simulations, turn)
    decisions = {reason.category: reason.decision for reason in decision.reasons}
    drops = true_drops(known)
    bench.forget()
    return Mutant(
        bad=weights.bad,
        good=weights.good,
        adapter_digest=manifest.adapter_digest,
        seed=evaluation.seed,
        truth_answers=answers,
        worst=max(plan.policy.categories, key=lambda name: drops[name].drop_pp),
        decision=decision.decision,
        summary=decision.summary,
        predicted=predicted.decisions,
        categories={
            name: CategoryResponse(
                true_drop_pp=drop.drop_pp,
                error_pp=drop.error_pp,
                decision=decisions.get(name),
                predicted=predicted.categories.get(name, {}),
            )
            for name, drop in drops.items()
        },
    )


def _evidence(prepared: Prepared, manifest: AdapterManifest, adapter: Path, baseline: Path, run: GateRun) -> Evidence:
    """The evidence that the gate decided on."""
    before, after, loaded = load_report(baseline), load_report(run.post), load_prompts(prepared.prompts)
    return Evidence(
        data=TrainingData.load(prepared.data / "training_data.json"),
        prompt_set=loaded.prompt_set,
        prompts=loaded.prompts,
        manifest=manifest,
        adapter_digest=adapter_digest(adapter),
        baseline=before.report,
        baseline_rows=before.rows,
        post=after.report,
        post_rows=after.rows,
        delta=DeltaReport.load(run.delta / "delta_report.json"),
        follow_up=FollowUpReport.load(run.follow_up / "follow_up_report.json"),
    )
