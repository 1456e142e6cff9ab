"""The graph's three steps and `decide_rows` are one sequence: on the same rows they give the same reasons."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from components.shared.artifacts.answers import AnswerRow, Opinion
from components.shared.artifacts.comparison import EscalatedPrompt
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule, FollowUpRule
from components.shared.gate.deltas import compare_rows, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.gate import decide_rows
from components.shared.gate.judge_correction import judges_of
from components.shared.gate.pairing import PromptPair, pair
from components.shared.vocabulary import Verdict
from tests.support import builders as build
from tests.support.crafted_evidence import EXPECTATIONS, TODAY, VERDICTS, check, craft

FRESH = 4
RULES = st.sampled_from(
    [
        CategoryRule(rule="margin", limit_pp=40.0),
        CategoryRule(rule="margin", limit_pp=50.0, review_new_failures=True),
        CategoryRule(rule="zero_tolerance", resolution_pp=50.0),
        CategoryRule(rule="point", limit_pp=30.0, min_pass_pct=20.0),
    ]
)
CHECKS = st.sampled_from([(), (check("refusal@1", 45, 50, 48, 50),), (check("refusal@1", 5, 10, 5, 10),)])


class Rows(NamedTuple):
    """Answers of both sides, what fresh answers would show (passing before, after), and the rules."""

    prompts: list[SuitePrompt]
    before: list[AnswerRow]
    after: list[AnswerRow]
    fresh: dict[str, tuple[int, int]]
    checks: tuple[QuotedCheck, ...]
    policy: Policy


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    names = ["direct", *draw(st.lists(st.sampled_from(sorted(EXPECTATIONS)), max_size=7))]
    prompts = [
        build.prompt(f"{name}-{n}", category=name, expectation=EXPECTATIONS[name], suite=name)
        for n, name in enumerate(names)
    ]
    samples = draw(st.integers(1, 3))
    verdict = st.sampled_from(VERDICTS)
    opinions = st.lists(st.builds(lambda seen: Opinion(judge="second@1", verdict=seen, reason=""), verdict), max_size=1)

    def side() -> list[AnswerRow]:
        return [
            build.row(prompt.id, n, draw(verdict), category=prompt.category, opinions=tuple(draw(opinions)))
            for prompt in prompts
            for n in range(samples)
        ]

    count = st.integers(0, FRESH)
    policy = build.policy(
        categories={
            name: draw(RULES).model_copy(update={"min_baseline_pass_pct": 0.0})
            for name in dict.fromkeys(names)
            if name != "task"
        },
        task_min_gain_pp=draw(st.sampled_from([None, 10.0])) if "task" in names else None,
        max_over_refusal_pct=draw(st.sampled_from([None, 50.0])) if "benign" in names else None,
        min_coherent_pct=0.0,
        max_unscored_pct=100.0,
        confidence=0.8,
        follow_up=FollowUpRule(samples=FRESH, max_prompts=draw(st.integers(1, 3)), escalate_drop=0.5),
    )
    fresh = {prompt.id: (draw(count), draw(count)) for prompt in prompts}
    return Rows(prompts, side(), side(), fresh, draw(CHECKS), policy)


@settings(max_examples=60, deadline=None)
@given(rows())
def test_the_steps_and_decide_rows_agree(case: Rows):
    """compute_delta, follow_up and check_gate on artifacts decide every category as `decide_rows` does on rows."""
    contract = build.contract(samples_per_prompt=len(case.before) // len(case.prompts))
    with tempfile.TemporaryDirectory() as directory:
        by_steps = craft(
            Path(directory),
            case.policy,
            case.before,
            case.after,
            case.prompts,
            lambda prompt_id, after: case.fresh[prompt_id][after],
            post={"contract": contract, "judge_checks": case.checks},
            baseline={"contract": contract},
        )

    def ask_again(prompts: Sequence[EscalatedPrompt]) -> list[PromptPair]:
        sides = {prompt: [_verdicts(passed) for passed in case.fresh[prompt.prompt_id]] for prompt in prompts}
        return [PromptPair(prompt.prompt_id, prompt.category, *both) for prompt, both in sides.items()]

    pairs = pair(case.before, case.after)
    on_rows = decide_rows(
        compare_rows(pairs, case.policy),
        ask_again,
        case.policy,
        TODAY,
        groups=group_deltas(pairs, case.prompts, case.policy.confidence),
        disagreement_pct=disagreement_pct(case.after),
        judges=judges_of(case.after),
        judge_checks=case.checks,
    )
    assert by_steps.problems == ()
    assert on_rows.reasons == by_steps.reasons
    assert on_rows.decision is by_steps.decision


def _verdicts(passed: int) -> tuple[Verdict, ...]:
    return (Verdict.PASS,) * passed + (Verdict.FAIL,) * (FRESH - passed)
