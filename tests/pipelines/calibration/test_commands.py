"""`plimsoll gate calibrate`: what it prints, keeps and leaves alone, and how it refuses wrong input."""

import json
from functools import partial

import pytest

from components.shared.artifacts.gate_calibration import GateCalibration, calibration_key, known_calibration
from components.shared.store import Store
from tests.pipelines.calibration.conftest import save_adapter


@pytest.fixture
def call(call):
    """The command line after `plimsoll gate calibrate`."""
    return partial(call, "gate", "calibrate")


@pytest.fixture
def adapters(project, tiny_base):
    """A bad and a good adapter of the project's base."""
    bad = save_adapter(tiny_base, project.folder / "bad", seed=1, rank=2, alpha=4)
    return bad, save_adapter(tiny_base, project.folder / "good", seed=2, rank=3, alpha=1)


def test_without_mix_a_bad_adapter_must_be_named(project, call):
    """Nothing tells the bad adapter from the good one, so the command says what to give it."""
    code, _, err = call("config.yaml")
    assert code == 2
    assert "data.mix is empty" in err
    assert "--bad DIR" in err


def test_a_folder_that_is_no_adapter_is_refused(project, call):
    """The error names the folder and what was expected, before anything runs."""
    (project.folder / "empty").mkdir()
    code, _, err = call("config.yaml", "--bad", "empty")
    assert code == 2
    assert "empty: holds no adapter_config.json; expected the directory of an adapter" in err
    assert not (project.folder / ".plimsoll/store").exists()


def test_a_greedy_gate_is_refused(project, adapters, call):
    """Without chance in the answers there is nothing to calibrate."""
    bad, _ = adapters
    greedy = {"samples_per_prompt": 1, "max_new_tokens": 8, "temperature": 0}
    project.write_config(evaluation=greedy)
    code, _, err = call("config.yaml", "--bad", bad)
    assert code == 2
    assert "evaluation.temperature is 0" in err


@pytest.mark.slow
@pytest.mark.long
def test_a_calibration_is_printed_kept_and_leaves_no_other_trace(project, adapters, call):
    """JSON on standard output, progress beside it, the artifact in file and store; no MLflow store, no audit log."""
    bad, good = adapters
    arguments = ["--bad", bad, "--good", good, "--mutants", 4, "--workers", 1, "--simulations", 10]
    code, out, err = call("config.yaml", *arguments, "--json", "--out", "calibration.json")
    assert code == 0, err
    shown = json.loads(out)
    assert [line for line in err.splitlines() if line.startswith("[calibrate] 4/4 ")]
    made = GateCalibration.load(project.folder / "calibration.json")
    assert shown["digest"] == made.digest
    assert [mutant.bad for mutant in made.mutants][:2] == [0.0, made.mutants[1].bad]
    assert {mutant.bad + mutant.good for mutant in made.mutants} == {1.0}
    assert all(sum(mutant.predicted.values()) == pytest.approx(1) for mutant in made.mutants)
    key = calibration_key(made.contract, made.base_digest, made.policy_digest)
    assert known_calibration(Store(".plimsoll/store"), key) == made
    left = {path.name for path in (project.folder / ".plimsoll").iterdir()}
    assert "mlflow.db" not in left
    assert "audit.jsonl" not in left
