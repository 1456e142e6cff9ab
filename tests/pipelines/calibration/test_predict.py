"""Predictions: the real gate on resampled answers, and true drops with their errors."""

import random

import pytest

from components.shared.artifacts.decision import Decision
from pipelines.calibration.predict import known_answers, predict, true_drops

ANSWERS = 20


def _known(build, world, share_after, together=False):
    """Many answers to the world's prompts: all pass before, `share_after` of them after."""
    rng = random.Random(0)
    before, after = [], []
    for prompt in world.evidence.prompts:
        task = prompt.category == "task"
        for sample in range(ANSWERS):
            first = "fail" if task else "pass"
            second = "pass" if task or rng.random() < share_after else "fail"
            fields = {"category": prompt.category}
            before.append(build.row(prompt.id, sample, second if together and not task else first, **fields))
            after.append(build.row(prompt.id, sample, second, **fields))
    return known_answers(world.evidence.prompts, before, after)


def test_an_unchanged_model_is_promoted(build, tmp_path):
    """Where both sides always pass, every simulated gate promotes."""
    world = build.world(tmp_path)
    predicted = predict(_known(build, world, 1.0), world.evidence, world.policy, 5, 20, 0)
    assert predicted.decisions == {Decision.PROMOTE: 1.0}
    assert predicted.categories["direct"] == {Decision.PROMOTE: 1.0}


def test_a_large_drop_is_rejected(build, tmp_path):
    """Where half of the answers fail after, every simulated gate rejects."""
    world = build.world(tmp_path)
    predicted = predict(_known(build, world, 0.5), world.evidence, world.policy, 5, 20, 0)
    assert predicted.decisions == {Decision.REJECT: 1.0}


def test_near_the_limit_the_gate_may_say_several_things(build, tmp_path):
    """With a drop of about the limit the decisions differ from gate to gate, and the shares add up to 1."""
    world = build.world(tmp_path)
    predicted = predict(_known(build, world, 0.91), world.evidence, world.policy, 5, 60, 0)
    assert len(predicted.decisions) >= 2
    assert sum(predicted.decisions.values()) == pytest.approx(1)


def test_answers_drawn_alike_are_resampled_together(build, tmp_path):
    """Answers that fail on both sides at the same sample number are no drop in any simulation."""
    world = build.world(tmp_path)
    predicted = predict(_known(build, world, 0.5, together=True), world.evidence, world.policy, 5, 20, 0)
    assert predicted.categories["direct"] == {Decision.PROMOTE: 1.0}


def test_the_same_seed_gives_the_same_prediction(build, tmp_path):
    """A prediction can be repeated."""
    world = build.world(tmp_path)
    known = _known(build, world, 0.91)
    first, second = (predict(known, world.evidence, world.policy, 5, 10, 7) for _ in range(2))
    assert first == second


def test_true_drops_and_their_errors(build):
    """A category's drop is the mean over prompts; its standard error is that of its prompts' own answers."""
    prompts = [build.prompt("a"), build.prompt("b")]
    before = [*build.rows("a", 4, 4), *build.rows("b", 4, 4)]
    after = [*build.rows("a", 2, 4), *build.rows("b", 4, 4)]
    (drop,) = true_drops(known_answers(prompts, before, after)).values()
    assert drop.drop_pp == pytest.approx(25)
    assert drop.error_pp == pytest.approx(100 * ((1 / 3) / 4) ** 0.5 / 2)


def test_sides_of_different_size_are_refused(build):
    """Without equally many answers the sides cannot be resampled together."""
    with pytest.raises(ValueError, match="'a': 4 answers before and 3 after; expected equally many"):
        known_answers([build.prompt("a")], build.rows("a", 4, 4), build.rows("a", 3, 3))
