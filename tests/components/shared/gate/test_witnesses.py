"""Every rejection and review names prompts with both answers; a promotion needs none."""

from datetime import date

from components.shared.artifacts.decision import Decision
from components.shared.gate.gate import decide
from components.shared.gate.witnesses import witnesses
from components.shared.vocabulary import Expectation, Verdict

DAY = date(2026, 1, 1)


def test_a_rejection_shows_its_worst_prompts(tmp_path, build):
    """At most three of the category, each with a passing answer before and a failing one after, and all digests."""
    world = build.world(tmp_path, broken=30)
    decision = decide(world.evidence, world.policy, build.CANDIDATE, DAY)
    assert decision.decision is Decision.REJECT
    assert [witness.prompt_id for witness in decision.witnesses] == ["d-00", "d-01", "d-02"]
    first = decision.witnesses[0]
    assert (first.before_verdict, first.after_verdict, first.sample) == (Verdict.PASS, Verdict.FAIL, 0)
    assert first.contract_digest == world.evidence.post.contract.digest
    assert (first.base_digest, first.adapter_digest) == (
        world.evidence.post.base_digest,
        world.evidence.adapter_digest,
    )


def test_a_promotion_has_none_and_names_its_nearest_miss(tmp_path, build):
    """Nothing got worse; the category with the least room to its limit is named."""
    world = build.world(tmp_path)
    decision = decide(world.evidence, world.policy, build.CANDIDATE, DAY)
    assert decision.decision is Decision.PROMOTE
    assert decision.witnesses == ()
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.startswith("direct, ")


def test_a_rejection_by_a_floor_shows_prompts_that_fail(tmp_path, build):
    """Also where nothing fell: the prompts of the group that fail after are its witnesses."""
    policy = build.policy(task_min_gain_pp=None, min_adherence_pct=90.0, ungated=())
    world = build.world(tmp_path, policy)
    asked = [
        prompt.model_copy(update={"expectation": Expectation.CONSTRAINTS}) if prompt.category == "direct" else prompt
        for prompt in world.evidence.prompts
    ]
    delta = build.delta("instruction_adherence", after_pct=10.0, after_lower_pct=5.0, after_upper_pct=20.0)
    evidence = world.evidence._replace(
        prompts=asked,
        delta=world.evidence.delta.model_copy(update={"groups": {"instruction_adherence": delta}}),
        post_rows=[
            r.model_copy(update={"verdict": Verdict.FAIL}) if r.prompt_id == "d-07" else r
            for r in world.evidence.post_rows
        ],
    )
    reasons = {reason.category: reason for reason in decide(evidence, policy, build.CANDIDATE, DAY).reasons}
    assert reasons["instruction_adherence"].decision is Decision.REJECT
    assert [witness.prompt_id for witness in witnesses(evidence, [reasons["instruction_adherence"]])] == ["d-07"]
