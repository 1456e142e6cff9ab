"""A calibration in the toy world: decisions agree with their predictions, and large drops are caught."""

import json

import pytest

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.gate_calibration import calibration_sentence
from components.shared.config.policy_rules import CategoryRule
from components.shared.config.reading import load_pipeline_config, load_policy
from pipelines.calibration.calibrate import calibrate_gate, check_calibration
from pipelines.calibration.mutant_runs import CalibrationPlan
from pipelines.calibration.steps import open_bench
from pipelines.calibration.tables import agreements
from pipelines.suites.sealing import seal

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

CATEGORIES = ("direct", "domain", "benign")
MUTANTS = 10


@pytest.fixture(scope="module")
def world(root, tmp_path_factory):
    """Config, policy and a careless adapter: 150 prompts of the toy suite, no held-out task."""
    from pipelines.demo.data import write_data
    from pipelines.demo.toy_base import ensure_base_model

    folder = tmp_path_factory.mktemp("calibration")
    task = write_data(folder / "data").task
    lines = (root / "configs/suites/toy.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for n, line in enumerate(lines) if n % 2 and json.loads(line)["category"] in CATEGORIES]
    (folder / "half.jsonl").write_text("".join(kept), encoding="utf-8")
    suite = (root / "configs/suites/toy.yaml").read_text(encoding="utf-8").replace("toy.jsonl", "half.jsonl")
    (folder / "half.yaml").write_text(suite, encoding="utf-8")
    seal(folder / "half.yaml", "2")
    config = load_pipeline_config(str(root / "configs/pipelines/demo-careless.yaml"))
    base = ensure_base_model(root / ".plimsoll/demo/models", lambda _: None)
    config = config.model_copy(
        update={
            "base_model": config.base_model.model_copy(update={"path": str(base)}),
            "data": config.data.model_copy(update={"train": str(task), "heldout_rows": 0}),
            "suites": (str(folder / "half.yaml"),),
            "recipe": config.recipe.model_copy(update={"max_steps": 100}),
            "store": str(folder / "store"),
        }
    )
    rules = {name: CategoryRule(rule="margin", limit_pp=15) for name in CATEGORIES}
    policy = load_policy(str(root / "configs/policies/toy.yaml"))
    policy = policy.model_copy(update={"categories": rules, "task_min_gain_pp": None})
    bench = open_bench(config, policy, folder / "training")
    prepared = bench.prepare(config.data, folder / "prepared")
    return config, policy, bench.train(prepared, folder / "bad")


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def calibration(world, said):
    config, policy, bad = world
    check_calibration(config, bad, None)
    return calibrate_gate(config, policy, bad, None, MUTANTS, 2, 40, said.append)


def test_observed_and_predicted_decisions_agree(calibration):
    """Each decision is given as often as predicted, within the noise of this many independent mutants."""
    assert len(calibration.mutants) == MUTANTS
    assert [agreement for agreement in agreements(calibration) if not agreement.holds] == []


def test_large_drops_are_caught_and_small_ones_are_not_rejected(calibration):
    """A true drop of two limits is never promoted; one of less than a quarter of the limit is never rejected."""
    by_drop = [(each.drop_pp, each.decision) for each in calibration.mutants]
    assert Decision.PROMOTE not in {decision for drop, decision in by_drop if drop > 2 * calibration.limit_pp}
    assert Decision.REJECT not in {decision for drop, decision in by_drop if drop < calibration.limit_pp / 4}
    assert max(drop for drop, _ in by_drop) > 30


def test_true_drops_are_known_to_about_a_point(calibration):
    """The standard error of no true drop of a worst category is above 2 pp with 50 prompts."""
    doubtful = [each for each in calibration.mutants if each.truth_answers == calibration.truth_answers]
    assert len(doubtful) >= MUTANTS / 2
    assert max(each.categories[each.worst].error_pp for each in doubtful) <= 2.0


def test_progress_and_sentence_tell_the_whole_gate(calibration, said):
    """One line per mutant with its doses and decision, and a sentence with a share."""
    lines = [line for line in said if f"/{MUTANTS} " in line]
    assert len(lines) == MUTANTS
    assert all("bad" in line and "the gate says" in line for line in lines)
    assert "This gate would have caught a drop of" in calibration_sentence(calibration)


def test_every_turn_has_a_seed_of_its_own(world, tmp_path):
    """Gates of different turns, and the truth, share no random numbers; the first turn asks as the config does."""
    config, policy, _ = world
    plan = CalibrationPlan(config, policy, tmp_path, 15, 30.0, 10)
    seeds = [plan.gate_evaluation(turn).seed for turn in range(4)] + [plan.truth_evaluation(15).seed]
    assert len(set(seeds)) == 5
    assert seeds[0] == config.evaluation.seed
