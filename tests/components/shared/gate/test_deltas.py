"""The change of every category, and which prompts are asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.safety_report import SafetyReport
from components.shared.config.policy_rules import FollowUpRule
from components.shared.gate.deltas import category_deltas, comparability_problems, escalate, looking_worse
from components.shared.gate.pairing import PromptPair
from components.shared.statistics.exact_tests import mcnemar_p
from components.shared.statistics.paired import paired_drop
from components.shared.vocabulary import Verdict


def pair(prompt_id: str, before: int, after: int, category: str = "direct", samples: int = 5) -> PromptPair:
    def verdicts(passed: int) -> tuple[Verdict, ...]:
        return tuple(Verdict.PASS if n < passed else Verdict.FAIL for n in range(samples))

    return PromptPair(prompt_id, category, verdicts(before), verdicts(after))


def test_a_category_is_summed_up_over_its_prompts():
    """Shares, drop with bounds, majority flips and McNemar's p are those of the prompts."""
    pairs = [pair("a", 5, 0), pair("b", 5, 5), pair("c", 2, 3), pair("d", 3, 2), pair("x", 0, 5, "task")]
    deltas = category_deltas(pairs, 0.9)
    direct, drop = deltas["direct"], paired_drop([1.0, 0.0, -0.2, 0.2], 0.9)
    assert list(deltas) == ["direct", "task"]
    assert (direct.prompts, direct.samples, direct.before_pct, direct.after_pct) == (4, 5, 75.0, 50.0)
    assert (direct.drop_pp, direct.lower_pp, direct.upper_pp) == pytest.approx(drop[1:4])
    assert (direct.newly_failing, direct.newly_passing) == (("a", "d"), ("c",))
    assert direct.mcnemar_p == mcnemar_p(2, 1)
    assert deltas["task"].drop_pp == -100


def test_a_tie_is_no_majority():
    """Half of the answers is not most of them: 2 of 4 neither passes before nor fails newly."""
    delta = category_deltas([pair("a", 2, 0, samples=4), pair("b", 4, 2, samples=4)], 0.95)["direct"]
    assert delta.newly_failing == ("b",)


def test_only_falls_of_the_rule_are_escalated():
    """0.4 is 2 of 5, float noise included; gains and the task are not asked again."""
    pairs = [pair("a", 5, 3), pair("b", 5, 4), pair("c", 3, 1), pair("d", 0, 5), pair("e", 5, 0, "task")]
    escalation = escalate(looking_worse(pairs, FollowUpRule(escalate_drop=0.4)), FollowUpRule(escalate_drop=0.4))
    assert [(prompt.prompt_id, round(prompt.drop, 9)) for prompt in escalation.prompts] == [("a", 0.4), ("c", 0.4)]
    assert escalation.over_budget == {}


def test_the_budget_goes_round_the_categories():
    """Each category's worst prompt comes before any category's second; what is left out is counted."""
    pairs = [pair(f"a{n}", 5, n % 3, "first") for n in range(6)] + [pair("b", 5, 3, "second"), pair("c", 5, 2, "third")]
    escalation = escalate(looking_worse(pairs, FollowUpRule(max_prompts=4)), FollowUpRule(max_prompts=4))
    assert [prompt.prompt_id for prompt in escalation.prompts] == ["a0", "a3", "b", "c"]
    assert escalation.over_budget == {"first": 4}


PAIRS = st.lists(st.tuples(st.sampled_from(["x", "y", "task"]), st.integers(0, 5), st.integers(0, 5)), max_size=30).map(
    lambda drawn: [pair(f"p{n}", before, after, category) for n, (category, before, after) in enumerate(drawn)]
)


@given(PAIRS, st.integers(1, 10), st.randoms(use_true_random=False))
def test_escalation_is_within_budget_and_independent_of_order(pairs: list[PromptPair], budget: int, random):
    """Every safety prompt that fell enough is escalated or counted as left out; shuffling changes neither."""
    rule = FollowUpRule(escalate_drop=0.4, max_prompts=budget)
    fallen = [p for p in pairs if p.category != "task" and p.drop > 0.39]
    escalation = escalate(looking_worse(pairs, rule), rule)
    assert len(escalation.prompts) == min(budget, len(fallen))
    assert len(escalation.prompts) + sum(escalation.over_budget.values()) == len(fallen)
    again = escalate(looking_worse(random.sample(pairs, len(pairs)), rule), rule)
    assert {p.prompt_id for p in again.prompts} == {p.prompt_id for p in escalation.prompts}
    assert again.over_budget == escalation.over_budget


def report(build, **changes: object) -> SafetyReport:
    fields = {
        "base_name": "toy",
        "base_digest": "sha256:ba5e",
        "adapter_digest": None,
        "adapter_effect": None,
        "contract": build.contract(),
        "categories": {},
        "answers_sha256": "sha256:aa",
    }
    return SafetyReport(**{**fields, **changes})


def test_equal_contracts_can_be_compared(build):
    """A base and its adapter under one contract have no problem."""
    assert comparability_problems(report(build), report(build, adapter_digest="sha256:ad")) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suites", {"toy": "sha256:ab"}),
        ("tokenizer", "sha256:bc"),
        ("system_prompt", "Be kind."),
        ("samples_per_prompt", 4),
        ("max_new_tokens", 17),
        ("temperature", 0.8),
        ("top_p", 0.9),
        ("seed", 1),
        ("batch_tokens", 2048),
        ("dtype", "bfloat16"),
        ("engine", "other"),
        ("judges", {"refuse": "refusal@0"}),
    ],
)
def test_any_difference_of_contracts_is_a_problem(build, field: str, value: object):
    """Each field of the contract is compared, and the differing one is shown with both values."""
    after = report(build, adapter_digest="sha256:ad", contract=build.contract(**{field: value}))
    (problem,) = comparability_problems(report(build), after)
    assert problem == f"the contracts differ ({field}: {getattr(build.contract(), field)!r} before, {value!r} after)"


def test_the_two_sides_are_base_and_adapter(build):
    """Two bases, an adapter on the first side, or none on the second, cannot be compared."""
    before = report(build, adapter_digest="sha256:ad")
    after = report(build, base_digest="sha256:other")
    assert comparability_problems(before, after) == [
        "the two reports are about different base models",
        "the baseline was evaluated with an adapter",
        "the post evaluation had no adapter",
    ]
