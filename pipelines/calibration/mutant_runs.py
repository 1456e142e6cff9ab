"""Measures one mutant: what the gate says about it, its true drop, and what the gate should have said.

The true drop comes from many more answers than the gate gets, drawn with another seed, so that it is not the chance
that the gate saw. Runs in a worker process; it does not know which mutant comes next.
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
"""Added to the config's seed for the many answers; not the shift of the follow-up or of the A/A pass."""
_SEED_STEP = 7_000_003
"""Between the seeds of two gates; far from every other shift."""


class Plan(NamedTuple):
    """What every process knows.

    Attributes:
        config: with absolute paths.
        policy: the rules.
        folder: scratch, shared by all processes.
        truth_answers: answers per prompt and side behind a true drop.
        cap_pp: a drop that the gate's bound puts beyond this needs no more answers than the gate gets.
        simulations: simulated gates per mutant.
    """

    config: PipelineConfig
    policy: Policy
    folder: Path
    truth_answers: int
    cap_pp: float
    simulations: int

    def gate_evaluation(self, turn: int) -> EvaluationConfig:
        """How the gate asks: as the config says; later turns with seeds of their own, so that chance is not shared."""
        return self._quick({"seed": self.config.evaluation.seed + turn * _SEED_STEP})

    def truth_evaluation(self, answers: int) -> EvaluationConfig:
        """How so many answers are asked for; fewer of them are the first ones of more."""
        seed = self.config.evaluation.seed + _TRUTH_SEED_SHIFT
        return self._quick({"seed": seed, "samples_per_prompt": answers})

    def baseline(self, turn: int) -> Path:
        """The gate's baseline report of a turn."""
        return self.folder / f"baseline-{turn}"

    @property
    def truth_before(self) -> Path:
        """The report of the base's many answers."""
        return self.folder / "baseline-truth"

    def _quick(self, changes: dict[str, object]) -> EvaluationConfig:
        """In one process, and without probes and A/A pass, which the gate's decision does not use."""
        plain = {"workers": 1, "shards": 1, "probes": False, "noise_floor": False}
        return self.config.evaluation.model_copy(update={**plain, **changes})


class Weights(NamedTuple):
    """How much of the bad and of the good adapter is in a mutant; without a good one, `good` is 0."""

    bad: float
    good: float


def start_worker(threads: int) -> None:
    """Sets the process up, before anything heavy is imported."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _bench(plan: Plan) -> Bench:
    return open_bench(plan.config, plan.policy, plan.folder)


def prepare(plan: Plan) -> Prepared:
    """Runs prepare_data on the config's own data."""
    return _bench(plan).prepare(plan.config.data, plan.folder / "prepared")


def train(plan: Plan, without_mix: bool, target: Path) -> Path:
    """Fine-tunes with the config's recipe, or takes the adapter from the store.

    Args:
        plan: see there.
        without_mix: leaves safety and replay rows out: what the recipe breaks when nothing protects it.
        target: receives data and adapter.
    """
    data = plan.config.data.model_copy(update={"mix": ()}) if without_mix else plan.config.data
    bench = _bench(plan)
    return bench.train(bench.prepare(data, target), target / "adapter")


def measure_base(plan: Plan, prepared: Prepared, turn: int | None) -> Path:
    """Evaluates the base for the gates of a turn, or with many answers; reused from the config's store."""
    evaluation = plan.truth_evaluation(plan.truth_answers) if turn is None else plan.gate_evaluation(turn)
    target = plan.truth_before if turn is None else plan.baseline(turn)
    return _bench(plan).evaluate(prepared.prompts, None, evaluation, plan.config.store, target)


def measure(plan: Plan, prepared: Prepared, bad: Path, good: Path | None, weights: Weights, turn: int) -> Mutant:
    """Makes a mutant, sends it through the gate, and finds out how much worse it really is.

    Args:
        plan: see there.
        prepared: data and prompts.
        bad: the known-bad adapter.
        good: the good one; None: the bad one is only scaled.
        weights: of both.
        turn: whose seed the gate uses.
    """
    bench = _bench(plan)
    own = Path(bench.store).parent / "mutant"
    shutil.rmtree(own, ignore_errors=True)
    doses = [Dose("bad", read_adapter(bad), weights.bad)]
    if good is not None:
        doses.append(Dose("good", read_adapter(good), weights.good))
    adapter = own / "adapter"
    manifest = make_mutant(doses, prepared.data_digest, plan.policy.digest, adapter)
    evaluation = plan.gate_evaluation(turn)
    run = bench.gate(prepared, adapter, plan.baseline(turn), evaluation, own)
    evidence = _evidence(prepared, manifest, adapter, plan.baseline(turn), run)
    ruined = max(evidence.delta.categories[name].lower_pp for name in plan.policy.categories) > plan.cap_pp
    answers = evaluation.samples_per_prompt if ruined else plan.truth_answers
    truth = bench.evaluate(prepared.prompts, adapter, plan.truth_evaluation(answers), bench.store, own / "truth")
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
    """What the gate was shown."""
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
