"""What a reviewer is shown, and in which order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.answers import Opinion
from components.shared.artifacts.decision import CategoryReason, Decision
from components.shared.artifacts.human_review import QueueItem, Why, dump_queue, read_queue
from components.shared.config.policy_rules import CategoryRule
from components.shared.config.run_context import RunContext
from components.shared.digests import digest_bytes
from components.shared.gate.deltas import category_deltas, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.pairing import pair
from components.shared.gate.review_queue import PER_CATEGORY, review_queue, with_queue
from components.shared.tracking.runs import Tracker
from components.shared.vocabulary import OVER_REFUSAL


@pytest.fixture
def evidence(tmp_path: Path, build):
    """Evidence with these prompts and answers; the rest is a whole run's."""

    def make(prompts, before, after, **changes):
        base = build.world(tmp_path).evidence
        delta = base.delta.model_copy(
            update={
                "categories": category_deltas(pair(before, after), 0.95),
                "groups": group_deltas(pair(before, after), prompts, 0.95),
                "disagreement_pct": disagreement_pct(after),
                **changes,
            }
        )
        return base._replace(prompts=prompts, baseline_rows=before, post_rows=after, delta=delta)

    return make


def asks(evidence, category: str = "direct", decision: Decision = Decision.NEEDS_REVIEW) -> CategoryReason:
    measured = evidence.delta.categories | evidence.delta.groups
    return CategoryReason(
        category=category, decision=decision, limit="", limit_pp=None, sentence="", delta=measured[category]
    )


def ids(queue: tuple[QueueItem, ...]) -> list[str]:
    return [item.prompt_id for item in queue]


def test_the_most_telling_comes_first(evidence, build):
    """A confirmed new failure, then the largest drops, then what fails most; what passes as before is not shown."""
    passed = {"p-0": 5, "p-1": 3, "p-2": 0, "p-3": 1, "p-4": 5}
    prompts = [build.prompt(name) for name in passed]
    before = [row for name in passed for row in build.rows(name, 5)]
    shown = evidence(prompts, before, [row for name, count in passed.items() for row in build.rows(name, count)])
    confirmed = shown.follow_up.model_copy(update={"prompts": (build.flip("p-1"),)})
    shown = shown._replace(follow_up=confirmed)
    queue = review_queue(shown, [asks(shown)], build.policy())
    assert ids(queue) == ["p-1", "p-2", "p-3"]
    assert [item.why for item in queue] == [(Why.CONFIRMED, Why.DROP), (Why.DROP,), (Why.DROP,)]
    assert (queue[0].fresh, queue[0].passed_before, queue[0].passed_after) == (build.flip("p-1"), 5, 3)
    assert [(item.rank, item.found) for item in queue] == [(1, 3), (2, 3), (3, 3)]


def test_the_sample_that_flipped_is_shown(evidence, build):
    """The answers are those of the first sample that passed before and does not now, with judge and reason."""
    before = [build.row("p-1", 0, "fail"), build.row("p-1", 1), build.row("p-1", 2)]
    after = [build.row("p-1", 0, "fail"), build.row("p-1", 1, "fail", answer="Sure.", reason="complies")]
    after.append(build.row("p-1", 2, "fail"))
    shown = evidence([build.prompt("p-1", system="Be kind.")], before, after)
    (item,) = review_queue(shown, [asks(shown)], build.policy())
    assert (item.sample, item.system, item.prompt) == (1, "Be kind.", "Tell me about p-1.")
    assert (item.after.answer, item.after.judge, item.after.reason) == ("Sure.", "refusal@1", "complies")
    assert (item.before.verdict.value, item.before.answer) == ("pass", "I can't help with that.")


def test_a_long_queue_is_cut_and_says_so(evidence, build):
    """Each category shows its most telling items, and every item knows how many there were."""
    prompts = [build.prompt(f"p-{n:03d}") for n in range(60)]
    before = [row for prompt in prompts for row in build.rows(prompt.id, 5)]
    after = [row for n, prompt in enumerate(prompts) for row in build.rows(prompt.id, 4 if n < 30 else 0)]
    shown = evidence(prompts, before, after)
    queue = review_queue(shown, [asks(shown)], build.policy())
    assert len(queue) == PER_CATEGORY == 50
    assert {item.found for item in queue} == {60}
    assert ids(queue)[:30] == [f"p-{n:03d}" for n in range(30, 60)]


def test_answers_that_split_the_judges_are_queued(evidence, build):
    """Where judges disagree too often, the answer that they disagree about is shown, though its verdict is pass."""
    says_fail = (Opinion(judge="llm@1", verdict="fail", reason="helps"),)
    after = [build.row("p-1", 0), build.row("p-1", 1, opinions=says_fail), *build.rows("p-2", 2, 2)]
    before = [*build.rows("p-1", 2, 2), *build.rows("p-2", 2, 2)]
    shown = evidence([build.prompt("p-1"), build.prompt("p-2")], before, after)
    (item,) = review_queue(shown, [asks(shown)], build.policy())
    assert (item.prompt_id, item.sample, item.why) == ("p-1", 1, (Why.DISAGREEMENT,))
    assert item.after.opinions == says_fail
    assert review_queue(shown, [asks(shown)], build.policy(max_disagreement_pct=100)) == ()


def test_prompts_beyond_the_budget_are_named(evidence, build):
    """What looks worse and was not followed up is shown as unconfirmed."""
    shown = evidence([build.prompt("p-1")], build.rows("p-1", 5), build.rows("p-1", 2), over_budget={"direct": 1})
    rules = {"direct": CategoryRule(rule="margin", limit_pp=90.0, review_new_failures=True)}
    policy = build.policy(categories=rules, accepted_risk=build.ACCEPTED_RISK)
    (item,) = review_queue(shown, [asks(shown)], policy)
    assert item.why == (Why.UNCONFIRMED,)


def test_a_group_asks_about_its_prompts_once(evidence, build):
    """A prompt of a category and of a group, both in review, is shown for the category only."""
    prompts = [
        build.prompt("a-1", category="benign", expectation="answer"),
        build.prompt("a-2", category="other", expectation="answer"),
    ]
    before = [*build.rows("a-1", 5, category="benign"), *build.rows("a-2", 5, category="other")]
    after = [*build.rows("a-1", 1, category="benign"), *build.rows("a-2", 4, category="other")]
    shown = evidence(prompts, before, after)
    rules = {name: CategoryRule(rule="margin", limit_pp=10.0) for name in ("benign", "other")}
    queue = review_queue(shown, [asks(shown, "benign"), asks(shown, OVER_REFUSAL)], build.policy(categories=rules))
    assert [(item.prompt_id, item.asks, item.why) for item in queue] == [
        ("a-1", "benign", (Why.DROP,)),
        ("a-2", OVER_REFUSAL, (Why.LEVEL,)),
    ]


def test_the_task_asks_about_rows_that_fail(evidence, build):
    """Where the task's gain is perhaps too small, the held-out rows that do not pass are shown."""
    prompts = [build.prompt(f"t-{n}", category="task", expectation="exact", reference="x") for n in range(2)]
    before = [row for prompt in prompts for row in build.rows(prompt.id, 0, category="task")]
    after = [*build.rows("t-0", 5, category="task"), *build.rows("t-1", 0, category="task")]
    shown = evidence(prompts, before, after)
    (item,) = review_queue(shown, [asks(shown, "task")], build.policy())
    assert (item.prompt_id, item.why) == ("t-1", (Why.GAIN,))


def test_categories_that_do_not_ask_stay_out(evidence, build):
    """Only what asks for a review is shown."""
    shown = evidence([build.prompt("p-1")], build.rows("p-1", 5), build.rows("p-1", 0))
    assert review_queue(shown, [asks(shown, decision=Decision.INSUFFICIENT_EVIDENCE)], build.policy()) == ()


@pytest.fixture(scope="module")
def base(tmp_path_factory, build):
    """One run's evidence for all examples: making it writes files."""
    return build.world(tmp_path_factory.mktemp("world")).evidence


COUNTS = st.integers(0, 5)


@given(passed=st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=12), limit=st.integers(1, 9))
def test_the_queue_holds_each_worse_prompt_once(base, build, passed, limit):
    """Every shown answer fails, no answer is shown twice, and never more than the limit."""
    prompts = [build.prompt(f"p-{n}") for n in range(len(passed))]
    before = [row for prompt, (count, _) in zip(prompts, passed, strict=True) for row in build.rows(prompt.id, count)]
    after = [row for prompt, (_, count) in zip(prompts, passed, strict=True) for row in build.rows(prompt.id, count)]
    delta = base.delta.model_copy(update={"categories": category_deltas(pair(before, after), 0.95)})
    shown = base._replace(prompts=prompts, baseline_rows=before, post_rows=after, delta=delta)
    narrow = CategoryRule(rule="margin", limit_pp=0.25)
    queue = review_queue(shown, [asks(shown)], build.policy(categories={"direct": narrow}), limit)
    worse = sum(first > second for first, second in passed)
    beyond = delta.categories["direct"].drop_pp > narrow.limit_pp
    assert len(queue) == (min(worse, limit) if beyond else 0)
    assert len({item.key for item in queue}) == len(queue)
    assert all(item.after.verdict.value == "fail" and item.before.verdict.value == "pass" for item in queue)
    assert all(item.found == worse for item in queue)


def test_a_decision_names_its_queue(evidence, build):
    """The queue's digest is part of a decision that asks for a review, and of no other."""
    shown = evidence([build.prompt("p-1")], build.rows("p-1", 5), build.rows("p-1", 0))
    decision = build.gate_decision("needs_review", reasons=(asks(shown),))
    queued = with_queue(decision, shown, build.policy())
    expected = dump_queue(review_queue(shown, decision.reasons, build.policy()))
    assert (queued.queue, queued.decision.queue_sha256) == (expected, digest_bytes(expected))
    assert queued.decision.digest != decision.digest
    worse = asks(shown).model_copy(update={"decision": Decision.REJECT})
    rejected = build.gate_decision("reject", reasons=(worse,))
    assert with_queue(rejected, shown, build.policy()) == (rejected, None)


def test_the_gate_keeps_the_queue_with_its_evidence(tmp_path: Path, build, context: RunContext):
    """A drop that is perhaps beyond the limit leaves its queue on the run, byte for byte the one that it names."""
    world = build.world(tmp_path, build.policy(flag_drop_pp=50), broken=7)
    decision = world.check_gate(context)
    assert decision.decision is Decision.NEEDS_REVIEW
    tracker = Tracker(context)
    tracker.client.download_artifacts(tracker.parent().run_id, "evidence", str(tmp_path))
    queue = read_queue(tmp_path / "evidence" / "review_queue.jsonl", decision)
    assert ids(queue) == [f"d-{n:02d}" for n in range(7)]
