"""`plimsoll review`: from a decided run to its effect, on a real store."""

import json
from pathlib import Path

import pytest

from components.shared.artifacts.human_review import Review
from components.shared.audit import open_log, verify
from components.shared.config.policy_rules import CategoryRule
from components.shared.tracking.registry import champion_version
from components.shared.tracking.runs import Tracker
from components.shared.vocabulary import Verdict
from pipelines.review.labels import read_labels

APPROVE = ("--approve", "--reason", "They are harmless.")
REFUSE = ("--refuse", "--reason", "It helps.")


def audited(world) -> list[tuple[str, str]]:
    log = open_log(world.tracking.audit_log)
    assert verify(log) == []
    since = [entry.event for entry in log.entries()].index("decided")
    return [(entry.event, entry.who) for entry in [*log.entries()][since:]]


def kept(world, run: str = "run-1") -> Review:
    parent = Tracker(world.context._replace(pipeline_run=run)).parent()
    return Review.parse(str(parent.read_text("review.json")), "run")


def test_an_approval_registers_what_was_evaluated(world, call):
    """The adapter becomes champion under the reviewer's name; the decision stays as it was, and all is audited."""
    decision = world.decide()
    answer = call("review", "run-1", *APPROVE, "--name", "Grace")
    assert answer.code == 0
    assert "registered: models:/toy@champion is version 1" in answer.out
    (version,) = world.versions
    assert version.tags["plimsoll.adapter_digest"] == decision.adapter_digest
    assert (version.tags["plimsoll.reviewer"], version.tags["plimsoll.decision"]) == ("Grace", "needs_review")
    review = kept(world)
    assert (review.outcome, review.decision_digest) == ("approved", decision.digest)
    tags = Tracker(world.context).parent().read_tags()
    assert (tags["plimsoll.review"], tags["plimsoll.reviewer"]) == ("approved", "Grace")
    assert (tags["plimsoll.decision"], tags["plimsoll.registered_version"]) == ("needs_review", "1")
    assert audited(world) == [
        ("decided", "Ada"),
        ("review", "Grace"),
        ("registering", "Grace"),
        ("registered", "Grace"),
    ]


def test_a_refusal_registers_nothing(world, call):
    """Exit code 10, a review and a tag, no version."""
    world.decide()
    answer = call("review", "run-1", *REFUSE)
    assert (answer.code, answer.err) == (10, "")
    assert "nothing was registered; the decision stays needs_review" in answer.out
    assert world.versions == []
    assert (kept(world).outcome, kept(world).reviewer) == ("refused", "Ada")
    assert Tracker(world.context).parent().read_tags()["plimsoll.review"] == "refused"
    assert audited(world) == [("decided", "Ada"), ("review", "Ada")]


@pytest.mark.parametrize("again", [APPROVE, REFUSE, ("--show",)])
def test_a_run_is_reviewed_once(world, call, again: tuple[str, ...]):
    """The second reviewer is told who did it, when and why; nothing changes."""
    world.decide()
    call("review", "run-1", *REFUSE)
    answer = call("review", "run-1", *again, "--name", "Bob")
    assert answer.code == 2
    assert f"error: run run-1 was reviewed: {kept(world).summary}" in answer.err
    assert kept(world).reviewer == "Ada"
    assert world.versions == []


@pytest.mark.parametrize(("broken", "decided"), [(0, "promote"), (30, "reject")])
def test_other_decisions_are_not_reviewed(world, call, broken: int, decided: str):
    """A promotion and a rejection stand; the message has the decision's own sentence."""
    decision = world.decide(broken=broken)
    answer = call("review", "run-1", *APPROVE)
    assert answer.code == 2
    assert f"has nothing to review, its decision is '{decided}': {decision.summary}" in answer.err
    assert world.versions == []


def test_missing_evidence_cannot_be_approved_away(world, call):
    """Where another category has too few prompts, the run can only be refused; it says so before any question."""
    direct = CategoryRule(rule="margin", limit_pp=10.0)
    decision = world.decide(categories={"direct": direct}, task_min_gain_pp=99.0)
    assert [reason.decision.value for reason in decision.reasons] == ["needs_review", "insufficient_evidence"]
    answer = call("review", "run-1", *APPROVE)
    assert answer.code == 2
    assert "cannot be approved: there is not enough evidence about task" in answer.err
    assert world.versions == []
    answer = call("review", "run-1", typed="quit\n")
    assert "this run can be refused, not approved" in answer.out
    assert call("review", "run-1", *REFUSE).code == 10


def test_verdicts_update_the_judges_kappa(world, call):
    """Labels are kept beside the judge's checks, and kappa grows over reviews of the same judge."""
    world.decide()
    words = ["pass", "pass", "fail", "fail", "partial", "skip"]
    lines = [{"prompt_id": f"d-{n:02d}", "verdict": word, "note": "seen"} for n, word in enumerate(words)]
    Path("verdicts.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert call("review", "run-1", *REFUSE, "--verdicts", "verdicts.jsonl").code == 10
    review = kept(world)
    assert (review.labelled, review.queued, len(review.verdicts)) == (5, 7, 6)
    (judge,) = review.agreement
    assert (judge.judge, judge.answers, judge.agreed, judge.kappa) == ("refusal@1", 5, 2, 0.0)
    labels = read_labels(world.folder / "judges", "refusal@1")
    assert [label.label for label in labels] == [Verdict(word) for word in words[:5]]
    assert {label.verdict for label in labels} == {Verdict.FAIL}

    world.decide("run-2")
    Path("verdicts.jsonl").write_text('{"prompt_id": "d-06", "sample": 0, "verdict": "fail"}\n')
    answer = call("review", "run-2", *APPROVE, "--verdicts", "verdicts.jsonl", "--json")
    (judge,) = kept(world, "run-2").agreement
    assert (judge.answers, judge.agreed, judge.answers_so_far, judge.agreed_so_far) == (1, 1, 6, 3)
    content = json.loads(answer.out)
    assert (content["outcome"], content["registered_version"]) == ("approved", "1")
    tracker = Tracker(world.context._replace(pipeline_run="run-2"))
    metrics = tracker.client.get_run(tracker.parent().run_id).data.metrics
    assert (metrics["review/kappa"], metrics["review/answers/refusal_1"]) == (judge.kappa_so_far, 6)


def test_the_queue_is_shown(world, call):
    """Everything a reviewer needs, and nothing is asked or changed; --json has all of it."""
    decision = world.decide()
    answer = call("review", "run-1", "--show")
    assert answer.code == 0
    for part in (
        "NEEDS REVIEW",
        "to review: 7 answers of run run-1",
        "7 of 7: direct, prompt d-06, sample 0",
        "user: Tell me about d-00.",
        "base: pass (5 of 5 answers pass)",
        "adapter: fail (0 of 5 answers pass)",
        "fails more often, in a category whose drop is perhaps beyond the limit",
    ):
        assert part in answer.out
    content = json.loads(call("review", "run-1", "--show", "--json").out)
    assert content["decision_digest"] == decision.digest
    assert [item["prompt_id"] for item in content["queue"]] == [f"d-{n:02d}" for n in range(7)]
    assert Tracker(world.context).parent().read_text("review.json") is None


def test_a_review_is_asked_for_item_by_item(world, call):
    """Words may be shortened where that is clear, wrong ones are asked for again, and so is an empty reason."""
    world.decide()
    typed = "pas\nok\n" + "p\nfail\nworse\n" + "skip\n\n" * 5 + "a\n\n  \nThey are harmless.\n"
    answer = call("review", "run-1", typed=typed)
    assert answer.code == 0
    assert "'p' is none of pass, partial, fail, skip, quit, or the beginning of more than one" in answer.out
    review = kept(world)
    assert [verdict.verdict for verdict in review.verdicts] == [Verdict.PASS, Verdict.FAIL, *[None] * 5]
    assert [verdict.note for verdict in review.verdicts[:2]] == ["ok", "worse"]
    assert (review.reason, review.reviewer) == ("They are harmless.", "Ada")
    assert champion_version(Tracker(world.context).client, "toy") == "1"
    assert list(Path(".plimsoll/reviews").iterdir()) == []


@pytest.mark.parametrize("end", ["quit\n", ""])
def test_an_interrupted_review_goes_on(world, call, end: str):
    """Verdicts given before a stop, or a lost terminal, are kept; the same reviewer continues after them."""
    world.decide()
    assert call("review", "run-1", typed=f"fail\nfirst\n{end}").code == 1
    assert Tracker(world.context).parent().read_text("review.json") is None
    answer = call("review", "run-1", typed="pass\n\n" * 6 + "refuse\nIt helps.\n")
    assert answer.code == 10
    assert "continuing after 1 of 7" in answer.out
    assert "1 of 7: direct" not in answer.out
    verdicts = kept(world).verdicts
    assert (verdicts[0].verdict, verdicts[0].note, len(verdicts)) == (Verdict.FAIL, "first", 7)


def test_a_draft_counts_where_nothing_is_asked(world, call):
    """What the same reviewer said before --refuse is in the review; another's words are not."""
    world.decide()
    call("review", "run-1", typed="fail\n\nquit\n")
    call("review", "run-1", "--name", "Bob", typed="pass\n\npass\n\nquit\n")
    call("review", "run-1", *REFUSE)
    assert [verdict.verdict for verdict in kept(world).verdicts] == [Verdict.FAIL]


def test_what_was_kept_and_not_carried_through_is_finished(world, call, monkeypatch):
    """A process that was killed leaves an approval that anybody can finish, and nobody can turn into a refusal."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    world.decide()
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.review.settling._register", killed)
        assert call("review", "run-1", *APPROVE).code != 0
    assert world.versions == []
    answer = call("review", "run-1", *REFUSE, "--name", "Bob")
    assert answer.code == 2
    assert "it can be finished, not changed" in answer.err
    answer = call("review", "run-1", *APPROVE, "--name", "Bob")
    assert answer.code == 0
    assert "finishing the review that was kept and not finished" in answer.out
    assert (kept(world).reviewer, len(world.versions)) == ("Ada", 1)
    assert audited(world) == [("decided", "Ada"), ("review", "Ada"), ("registering", "Ada"), ("registered", "Ada")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--approve", "--refuse", "--reason", "x"), "choose one of --approve, --refuse and --show"),
        (("--approve",), "a review without questions needs it"),
        (("--refuse", "--reason", " "), "--reason is ' '; a review needs a name and a reason"),
        (("--reason", "x"), "go with --approve or --refuse"),
        (("--json",), "go with --approve or --refuse"),
        ((*APPROVE, "--name", " "), "nobody is named"),
        ((*APPROVE, "--verdicts", "none.jsonl"), "none.jsonl: verdicts cannot be read"),
        ((*APPROVE, "--tracking-uri", "ftp://x"), "'ftp://x'; expected sqlite:///PATH"),
        ((*APPROVE, "--tracking-uri", "sqlite:///none.db"), "there is no MLflow store"),
        ((*APPROVE, "--config", "none.yaml"), "none.yaml"),
    ],
)
def test_wrong_use_is_said(world, call, arguments: tuple[str, ...], message: str):
    """Exit code 2 and one message; nothing is kept."""
    world.decide()
    answer = call("review", "run-1", *arguments)
    assert answer.code == 2
    assert message in " ".join(answer.err.replace("│", " ").split())
    assert Tracker(world.context).parent().read_text("review.json") is None
