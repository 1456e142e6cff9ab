"""Calibrations in the store: found under what they are about, whatever the seed."""

import pytest

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.gate_calibration import (
    CategoryResponse,
    GateCalibration,
    Mutant,
    calibration_key,
    keep_calibration,
    known_calibration,
)
from components.shared.store import Store


@pytest.fixture
def calibration(build):
    predicted = {Decision.REJECT: 1.0}
    response = CategoryResponse(true_drop_pp=12.0, error_pp=0.5, decision=Decision.REJECT, predicted=predicted)
    made = Mutant(
        bad=0.5,
        good=0.5,
        adapter_digest="sha256:0a",
        seed=0,
        truth_answers=20,
        worst="direct",
        decision=Decision.REJECT,
        summary="REJECTED: worse.",
        predicted=predicted,
        categories={"direct": response},
    )
    return GateCalibration(
        pipeline="toy",
        base_name="toy-base",
        base_digest="sha256:ba5e",
        policy_name="toy",
        policy_version="1",
        policy_digest="sha256:01",
        contract=build.contract(),
        gated=("direct",),
        limit_pp=10.0,
        truth_answers=20,
        simulations=100,
        seconds=1.0,
        mutants=(made,),
    )


def test_a_kept_calibration_is_found_again(calibration, tmp_path):
    """What is kept comes back equal, and nothing is found before."""
    store = Store(str(tmp_path))
    assert known_calibration(store, calibration.key) is None
    key = keep_calibration(store, calibration)
    assert known_calibration(store, key) == calibration


def test_the_key_is_about_the_gate_and_not_about_its_seed(calibration, build):
    """Another seed is the same gate; other suites, judges, k, base or policy are another one."""
    base, policy = calibration.base_digest, calibration.policy_digest
    assert calibration_key(build.contract(seed=9), base, policy) == calibration.key
    others = [
        calibration_key(build.contract(suites={"toy": "sha256:a2"}), base, policy),
        calibration_key(build.contract(judges={"refuse": "refusal@2"}), base, policy),
        calibration_key(build.contract(samples_per_prompt=10), base, policy),
        calibration_key(build.contract(), "sha256:0ther", policy),
        calibration_key(build.contract(), base, "sha256:02"),
    ]
    assert len({calibration.key, *others}) == 6
