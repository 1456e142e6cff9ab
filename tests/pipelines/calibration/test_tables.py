"""What is printed of a calibration: bins, the agreement of predicted and observed, the table's cells."""

import itertools

import pytest

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.gate_calibration import CategoryResponse, GateCalibration, Mutant, calibration_sentence
from pipelines.calibration.tables import agreements, count_distribution, show_calibration


def mutant(drop, decision, predicted, **changes):
    response = CategoryResponse(true_drop_pp=drop, error_pp=0.5, decision=decision, predicted=predicted)
    fields = {
        "bad": max(0.0, drop) / 100,
        "good": 0.5,
        "adapter_digest": "sha256:0a",
        "seed": 0,
        "truth_answers": 20,
        "worst": "direct",
        "decision": decision,
        "summary": "-",
        "predicted": predicted,
        "categories": {"direct": response},
    }
    return Mutant(**{**fields, **changes})


@pytest.fixture
def calibration(build):
    promote, reject, review = Decision.PROMOTE, Decision.REJECT, Decision.NEEDS_REVIEW
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
        seconds=12.0,
        mutants=(
            mutant(-1.0, promote, {promote: 1.0}),
            mutant(4.0, promote, {promote: 0.9, review: 0.1}),
            mutant(12.0, review, {review: 0.6, reject: 0.4}),
            mutant(14.0, reject, {review: 0.2, reject: 0.8}),
            mutant(60.0, reject, {reject: 1.0}),
        ),
    )


def test_bins_hold_every_mutant_once(calibration):
    """The bins' observations add up to the mutants, and so do their predictions."""
    assert sum(drops.observations for drops in calibration.bins) == 5
    assert sum(sum(drops.predicted.values()) for drops in calibration.bins) == pytest.approx(5)
    assert [drops.range_in_words for drops in calibration.bins] == [
        "up to 2.5 pp",
        "2.5 to 5 pp",
        "10 to 15 pp",
        "more than 30 pp",
    ]


def test_the_sentence_is_about_the_first_bin_beyond_the_limit(calibration):
    """It names drop, share, counts, prediction, policy and k."""
    assert calibration_sentence(calibration) == (
        "This gate would have caught a drop of 10 to 15 pp 100 % of the time (2 of 2; predicted 100 %; policy toy 1, "
        "k = 5, 5 made-up regressions)."
    )


def test_without_a_mutant_beyond_the_limit_the_sentence_says_so(calibration):
    """Nothing is claimed that was not measured."""
    small = calibration.model_copy(update={"mutants": calibration.mutants[:2]})
    assert calibration_sentence(small).startswith("No made-up regression was above the limit of 10 pp")


def test_the_tables_show_observed_and_predicted(calibration, capsys):
    """Each cell has the observed share, and the predicted one in brackets; the last line is the sentence."""
    show_calibration(calibration)
    out = capsys.readouterr().out
    assert "50 % (40 %)" in out
    assert "standard error up to 0.5 pp" in out
    assert out.rstrip().endswith(calibration_sentence(calibration))


def test_agreement_is_that_of_independent_mutants(calibration):
    """Expected counts add up to the mutants; counts as predicted agree, impossible ones do not."""
    counts = {agreement.decision: agreement for agreement in agreements(calibration)}
    assert sum(agreement.expected for agreement in counts.values()) == pytest.approx(5)
    assert all(agreement.holds for agreement in counts.values())
    lucky = calibration.mutants[4].model_copy(update={"decision": Decision.PROMOTE})
    spoiled = calibration.model_copy(update={"mutants": (*calibration.mutants[:4], lucky)})
    wrong = {agreement.decision: agreement.holds for agreement in agreements(spoiled)}
    assert not wrong[Decision.PROMOTE]


def test_the_distribution_of_counts_is_exact():
    """It equals the sum over all outcomes of independent events."""
    shares = [0.1, 0.5, 0.7]
    expected = [0.0] * 4
    for outcome in itertools.product((0, 1), repeat=3):
        chance = 1.0
        for happened, share in zip(outcome, shares, strict=True):
            chance *= share if happened else 1 - share
        expected[sum(outcome)] += chance
    assert count_distribution(shares) == pytest.approx(expected)
