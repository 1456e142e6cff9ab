"""Reports that say otherwise than their rows are found, whatever digest they have."""

from collections.abc import Callable
from typing import Any

import pytest

from components.shared.artifacts.answer_rows import read_answers
from components.shared.gate.recounted import misstated
from tests.support.builders import World


@pytest.fixture
def world(tmp_path, build) -> World:
    """Seven of sixty prompts newly fail, and were asked again."""
    return build.world(tmp_path, broken=7)


def fresh(world: World) -> dict[str, Any]:
    sums = world.evidence.follow_up.answers_sha256
    return {name: read_answers(world.path("follow_up") / f"{name}.jsonl", digest) for name, digest in sums.items()}


def test_honest_reports_are_what_their_rows_say(world: World):
    """Nothing differs, also not in the last digits."""
    assert set(fresh(world)) == {"before", "after"}
    assert misstated(world.evidence, fresh(world), world.policy) == []
    drops = world.evidence.delta.categories
    near = {name: drop.model_copy(update={"drop_pp": drop.drop_pp + 1e-9}) for name, drop in drops.items()}
    delta = world.evidence.delta.model_copy(update={"categories": near})
    assert misstated(world.evidence._replace(delta=delta), fresh(world), world.policy) == []


def smaller(world: World) -> dict[str, Any]:
    drops = world.evidence.delta.categories
    return {"categories": {name: drop.model_copy(update={"drop_pp": 0.0}) for name, drop in drops.items()}}


FORGED: dict[str, tuple[Callable[[World], dict[str, Any]], str]] = {
    "drops": (smaller, "the drops of the categories"),
    "a category less": (lambda world: {"categories": {}}, "the drops of the categories"),
    "groups": (lambda world: {"groups": world.evidence.delta.categories}, "the drops of the groups"),
    "nothing to ask again": (lambda world: {"escalated": ()}, "the prompts to ask again"),
    "over budget": (lambda world: {"over_budget": {"direct": 1}}, "the prompts over the follow-up's budget"),
    "agreement": (lambda world: {"disagreement_pct": {"direct": 1.0}}, "the judges' disagreement"),
    "a problem": (lambda world: {"problems": ("none",)}, "why the sides cannot be compared"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_delta_report_is_found(world: World, name: str):
    """One sentence that names what differs."""
    change, what = FORGED[name]
    delta = world.evidence.delta.model_copy(update=change(world))
    problems = misstated(world.evidence._replace(delta=delta), fresh(world), world.policy)
    assert problems == [f"the delta report is not what the answers say: {what} differ, counted again"]


def test_a_forged_follow_up_is_found(world: World):
    """A flip that its fresh answers confirm cannot be made unconfirmed, or left out."""
    prompts = world.evidence.follow_up.prompts
    for forged in (tuple(prompt.model_copy(update={"confirmed": False}) for prompt in prompts), prompts[1:]):
        report = world.evidence.follow_up.model_copy(update={"prompts": forged})
        problems = misstated(world.evidence._replace(follow_up=report), fresh(world), world.policy)
        assert problems == ["the follow-up report is not what its fresh answers say, counted again"]
