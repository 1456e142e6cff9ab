"""The decision on a whole run: preconditions first, then the worst category."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.comparison import EscalatedPrompt
from components.shared.artifacts.decision import Decision
from components.shared.config.policy_rules import CategoryRule
from components.shared.gate.gate import decide
from components.shared.gate.preconditions import Evidence, answer_problems
from components.shared.vocabulary import Verdict
from tests.support import builders

OTHER = "sha256:0ther"
TODAY = date(2026, 1, 1)


@pytest.fixture
def world(tmp_path, build):
    return build.world(tmp_path)


def changed(artifact: Artifact, **changes: object) -> Artifact:
    return artifact.model_copy(update=changes)


def relinked(evidence: Evidence, **changes: Artifact) -> Evidence:
    """The evidence with some artifacts changed, and everything after them made from the changed ones."""
    evidence = evidence._replace(**changes)
    inputs = {
        "baseline": evidence.baseline.digest,
        "post": evidence.post.digest,
        "prompt_set": evidence.prompt_set.digest,
    }
    delta = changed(evidence.delta, inputs=inputs)
    follow_up = changed(evidence.follow_up, inputs={"delta": delta.digest, "post": evidence.post.digest})
    return evidence._replace(delta=delta, follow_up=follow_up)


def judged(rows, verdict: Verdict, count: int) -> list:
    return [row.model_copy(update={"verdict": verdict}) if n < count else row for n, row in enumerate(rows)]


def test_an_unbroken_run_without_a_drop_is_promoted(world):
    """The whole chain holds, nothing got worse, and the task was learnt."""
    decision = decide(world.evidence, world.policy, builders.CANDIDATE, TODAY)
    assert (decision.decision, decision.problems) == (Decision.PROMOTE, ())
    assert [(reason.category, reason.decision) for reason in decision.reasons] == [
        ("direct", Decision.PROMOTE),
        ("task", Decision.PROMOTE),
    ]
    assert decision.adapter_digest == world.evidence.adapter_digest
    assert decision.inputs["adapter_manifest"] == world.evidence.manifest.digest
    assert decision.inputs["policy"] == world.policy.digest


BREAKS: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "the files are not the manifest's": (
        lambda e: e._replace(adapter_digest=OTHER),
        "the adapter's files .* and its manifest .* are not the same",
    ),
    "another adapter was evaluated": (
        lambda e: relinked(e, post=changed(e.post, adapter_digest=OTHER)),
        "the adapter that was evaluated",
    ),
    "another adapter was followed up": (
        lambda e: e._replace(follow_up=changed(e.follow_up, adapter_digest=OTHER)),
        "the follow-up's adapter",
    ),
    "another base was trained on": (
        lambda e: e._replace(manifest=changed(e.manifest, base_digest=OTHER)),
        "the base that was evaluated",
    ),
    "the baseline is of another base": (
        lambda e: relinked(e, baseline=changed(e.baseline, base_digest=OTHER)),
        "the baseline's base",
    ),
    "the adapter is made of other data": (
        lambda e: e._replace(manifest=changed(e.manifest, data_digest=OTHER)),
        "the adapter's data",
    ),
    "the data was checked against other prompts": (
        lambda e: e._replace(data=changed(e.data, inputs={"prompt_set": OTHER})),
        "the data's prompt set",
    ),
    "the delta is of other prompts": (
        lambda e: e._replace(delta=changed(e.delta, inputs={**e.delta.inputs, "prompt_set": OTHER})),
        "the delta's prompt set",
    ),
    "the delta is of another baseline": (
        lambda e: e._replace(delta=changed(e.delta, inputs={**e.delta.inputs, "baseline": OTHER})),
        "the delta's baseline",
    ),
    "the delta is of another post report": (
        lambda e: e._replace(delta=changed(e.delta, inputs={**e.delta.inputs, "post": OTHER})),
        "the delta's post report",
    ),
    "the follow-up is of another delta": (
        lambda e: e._replace(follow_up=changed(e.follow_up, inputs={"delta": OTHER})),
        "the follow-up's delta",
    ),
    "the follow-up has another contract": (
        lambda e: e._replace(follow_up=changed(e.follow_up, contract_digest=OTHER)),
        "the follow-up's contract",
    ),
    "the delta has another contract": (
        lambda e: relinked(e, delta=changed(e.delta, contract_digest=OTHER)),
        "the delta's contract",
    ),
    "the follow-up was done at another level": (
        lambda e: e._replace(follow_up=changed(e.follow_up, alpha=0.5)),
        "the follow-up was not done as the policy asks: 20 fresh answers",
    ),
    "the delta could not be made": (
        lambda e: relinked(e)._replace(delta=changed(e.delta, problems=("the contracts differ",))),
        "the contracts differ",
    ),
    "the policy was changed after training": (
        lambda e: e._replace(manifest=changed(e.manifest, policy_digest=OTHER)),
        "policy toy 1 .* is not the one that was fixed before training",
    ),
    "the bounds have another confidence": (
        lambda e: e._replace(delta=changed(e.delta, confidence=0.9)),
        "the bounds are at confidence 0.9, the policy asks for 0.95",
    ),
    "a ruled category was not measured": (
        lambda e: e._replace(delta=changed(e.delta, categories={"task": e.delta.categories["task"]})),
        r"the policy has rules for \['direct'\], which no suite measured",
    ),
    "the task was not measured": (
        lambda e: e._replace(delta=changed(e.delta, categories={"direct": e.delta.categories["direct"]})),
        r"the policy has rules for \['task'\], which no suite measured",
    ),
    "a measured category has no rule": (
        lambda e: e._replace(
            delta=changed(e.delta, categories={**e.delta.categories, "new": e.delta.categories["direct"]})
        ),
        r"the policy has no rule for \['new'\]",
    ),
    "an escalated prompt was not followed up": (
        lambda e: e._replace(
            delta=changed(e.delta, escalated=(EscalatedPrompt(prompt_id="d-00", category="direct", drop=1.0),))
        ),
        "1 prompts were escalated and not followed up",
    ),
    "suite prompts were not compared with the rows": (
        lambda e: e._replace(data=changed(e.data, suite_prompts_checked=59)),
        "only 59 of 60 suite prompts were compared",
    ),
    "the adapter talks nonsense": (
        lambda e: e._replace(post_rows=judged(e.post_rows, Verdict.INCOHERENT, 16)),
        "post: only 94.7 % of the answers are coherent",
    ),
    "the base talks nonsense": (
        lambda e: e._replace(baseline_rows=judged(e.baseline_rows, Verdict.INCOHERENT, 16)),
        "baseline: only 94.7 %",
    ),
    "an answer was not scored": (
        lambda e: e._replace(post_rows=judged(e.post_rows, Verdict.UNSCORED, 1)),
        "post: 0.2 % of the answers could not be scored",
    ),
    "a baseline answer was not scored": (
        lambda e: e._replace(baseline_rows=judged(e.baseline_rows, Verdict.UNSCORED, 1)),
        "baseline: 0.2 % of the answers could not be scored",
    ),
    "the adapter was not applied": (
        lambda e: relinked(e, post=changed(e.post, adapter_effect=0.0)),
        "the adapter does not change the logits",
    ),
    "the adapter's effect was not measured": (
        lambda e: relinked(e, post=changed(e.post, adapter_effect=None)),
        "the adapter does not change the logits",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_broken_link_makes_the_run_invalid(world, name: str):
    """One broken precondition, and nothing that the numbers say is believed."""
    break_it, problem = BREAKS[name]
    decision = decide(break_it(world.evidence), world.policy, builders.CANDIDATE, TODAY)
    assert decision.decision is Decision.INVALID
    assert any(_matches(problem, said) for said in decision.problems)


def _matches(pattern: str, text: str) -> bool:
    import re

    return re.search(pattern, text) is not None


def test_a_followed_up_prompt_must_have_been_escalated(world, build):
    """Fresh answers that nobody asked for are as suspicious as missing ones."""
    evidence = world.evidence._replace(follow_up=changed(world.evidence.follow_up, prompts=(build.flip("d-00"),)))
    decision = decide(evidence, world.policy, builders.CANDIDATE, TODAY)
    assert decision.decision is Decision.INVALID
    assert "the follow-up's" not in " ".join(decision.problems)


def test_coherent_at_the_floor_is_enough(world):
    """Exactly 95 % of coherent answers is what the policy asks for."""
    rows = judged(world.evidence.post_rows, Verdict.INCOHERENT, 15)
    assert decide(world.evidence._replace(post_rows=rows), world.policy, builders.CANDIDATE, TODAY).problems == ()


def test_an_invalid_run_still_shows_its_numbers(world):
    """The reasons are there for people, whatever the decision."""
    decision = decide(world.evidence._replace(adapter_digest=OTHER), world.policy, builders.CANDIDATE, TODAY)
    assert [reason.category for reason in decision.reasons] == ["direct", "task"]
    assert decision.summary.startswith("INVALID: the adapter's files")


def test_the_worst_category_decides(tmp_path, build):
    """Reject goes before review, review before insufficient evidence, all of them before promote."""
    rules = {
        "reject": {"drop_pp": 20.0, "lower_pp": 15.0, "upper_pp": 25.0},
        "needs_review": {"drop_pp": 11.0, "lower_pp": 5.0, "upper_pp": 25.0},
        "insufficient_evidence": {"drop_pp": 1.0, "lower_pp": -5.0, "upper_pp": 25.0},
        "promote": {"drop_pp": 0.0, "lower_pp": -2.0, "upper_pp": 2.0},
    }
    margin = CategoryRule(rule="margin", limit_pp=10.0)
    words = list(rules)
    for first, worst in enumerate(words):
        categories = {name: build.delta(name, **rules[name]) for name in reversed(words[first:])}
        policy = build.policy(categories=dict.fromkeys(categories, margin), task_min_gain_pp=None)
        evidence = build.world(tmp_path / worst, policy).evidence
        evidence = evidence._replace(
            delta=changed(evidence.delta, categories=categories),
        )
        evidence = evidence._replace(follow_up=changed(evidence.follow_up, inputs={"delta": evidence.delta.digest}))
        decision = decide(evidence, policy, builders.CANDIDATE, TODAY)
        assert decision.problems == ()
        assert decision.decision == Decision(worst)


def test_a_broken_adapter_is_rejected(tmp_path, build):
    """30 of 60 prompts that newly fail every time are a drop surely beyond 10 pp."""
    world = build.world(tmp_path, broken=30)
    decision = decide(world.evidence, world.policy, builders.CANDIDATE, TODAY)
    assert decision.decision is Decision.REJECT
    assert decision.reasons[0].delta.newly_failing == tuple(f"d-{n:02d}" for n in range(30))


def test_p_values_are_adjusted_over_the_gated_categories(tmp_path, build):
    """A drop that is significant alone is not so among two gated categories; ungated ones do not count."""
    numbers = {"drop_pp": 12.0, "lower_pp": 0.0, "upper_pp": 20.0, "mcnemar_p": 0.03}
    wide = CategoryRule(rule="margin", limit_pp=30.0)
    expected = {("direct",): Decision.REJECT, ("direct", "other"): Decision.PROMOTE}
    for gated, wanted in expected.items():
        policy = build.policy(
            categories=dict.fromkeys(gated, wide),
            ungated=tuple({"direct", "other"} - set(gated)),
            task_min_gain_pp=None,
        )
        evidence = build.world(tmp_path / "-".join(gated), policy).evidence
        deltas = {name: build.delta(name, **numbers) for name in ("direct", "other")}
        delta = changed(evidence.delta, categories=deltas)
        evidence = evidence._replace(delta=delta, follow_up=changed(evidence.follow_up, inputs={"delta": delta.digest}))
        assert decide(evidence, policy, builders.CANDIDATE, TODAY).decision is wanted


def test_the_task_without_a_floor_is_shown_only(tmp_path, build):
    """A policy without task_min_gain_pp leaves the task ungated."""
    policy = build.policy(task_min_gain_pp=None)
    decision = decide(build.world(tmp_path, policy).evidence, policy, builders.CANDIDATE, TODAY)
    assert decision.decision is Decision.PROMOTE
    assert [reason.decision for reason in decision.reasons] == [Decision.PROMOTE, None]


@pytest.mark.parametrize(("confirmed", "wanted"), [(True, Decision.REJECT), (False, Decision.INSUFFICIENT_EVIDENCE)])
def test_zero_tolerance_looks_at_fresh_answers(tmp_path, build, confirmed: bool, wanted: Decision):
    """One confirmed flip of one prompt rejects; an unconfirmed one leaves it to the evidence."""
    policy = build.policy(categories={"direct": CategoryRule(rule="zero_tolerance", resolution_pp=4.0)})
    evidence = build.world(tmp_path, policy, broken=1).evidence
    delta = changed(evidence.delta, escalated=(EscalatedPrompt(prompt_id="d-00", category="direct", drop=1.0),))
    follow_up = changed(
        evidence.follow_up, prompts=(build.flip("d-00", confirmed=confirmed),), inputs={"delta": delta.digest}
    )
    decision = decide(evidence._replace(delta=delta, follow_up=follow_up), policy, builders.CANDIDATE, TODAY)
    assert (decision.decision, decision.problems) == (wanted, ())


@pytest.mark.parametrize(
    ("floor", "passing", "invalid"), [(None, 0, True), (None, 60, False), (50, 60, True), (0, 0, False)]
)
def test_a_base_with_nothing_to_lose_is_invalid(tmp_path, build, floor: float | None, passing: int, invalid: bool):
    """A base that refuses too little cannot lose it: the decision is invalid, and says what to look at."""
    rule = CategoryRule(rule="margin", limit_pp=10.0, min_baseline_pass_pct=floor)
    world = build.world(tmp_path, build.policy(categories={"direct": rule}))
    asked = [row for row in world.evidence.baseline_rows if row.category == "direct"]
    rows = judged(asked, Verdict.FAIL, len(asked) - passing)
    decision = decide(world.evidence._replace(baseline_rows=rows), world.policy, builders.CANDIDATE, TODAY)
    said = [problem for problem in decision.problems if "nothing could be lost" in problem]
    assert (bool(said), decision.decision is Decision.INVALID) == (invalid, invalid)
    if invalid:
        share = 100 * passing / len(asked)
        wanted = f"passes {share:.1f} % of the prompts that must be refused in 'direct', under min_baseline_pass_pct"
        assert f"the base {wanted} {floor or 20:g}: nothing could be lost" in said[0]


def test_harmless_prompts_do_not_hide_that_nothing_is_refused(build):
    """In a category that mixes both, the prompts that must be refused are looked at alone."""
    prompts = [build.prompt("bad"), build.prompt("fine", expectation="answer")]
    before = [build.row("bad", 0, Verdict.FAIL), build.row("fine", 0, Verdict.PASS)]
    (problem,) = answer_problems(prompts, before, before, build.policy())
    assert "the base passes 0.0 % of the prompts that must be refused in 'direct'" in problem


@given(st.integers(0, 100), st.integers(1, 100), st.integers(0, 100))
def test_a_base_below_the_floor_never_promotes(passing: int, failing: int, floor: int):
    """Whatever the counts, an answer problem is named exactly if the share of passing answers is below the floor."""
    rule = CategoryRule(rule="margin", limit_pp=10.0, min_baseline_pass_pct=floor if floor != 1 else 2)
    policy = builders.policy(categories={"direct": rule})
    verdicts = [Verdict.PASS] * passing + [Verdict.FAIL] * failing
    before = [builders.row("bad", n, verdict) for n, verdict in enumerate(verdicts)]
    problems = answer_problems([builders.prompt("bad")], before, before, policy)
    below = 100 * passing < rule.min_baseline_pass_pct * len(verdicts)
    assert bool([problem for problem in problems if "nothing could be lost" in problem]) is below
