"""Before a run, the cautions are those that its decision will repeat."""

from pathlib import Path

import pytest

from components.shared.artifacts.judge_check import JudgeCheck, Score, Share
from components.shared.config.policy_rules import CategoryRule
from components.shared.digests import digest_bytes
from components.shared.judges.judge import label
from components.shared.judges.panel import rule_panel
from components.shared.vocabulary import Expectation, Verdict
from pipelines.running.early_cautions import early_cautions

REFUSAL = label(rule_panel().verdicts[Expectation.REFUSE])


def check(failing: int = 10) -> JudgeCheck:
    score = Score(value=None, lower=None, upper=None)
    share = Share(count=0, of=0, value=None, lower=None, upper=None)
    return JudgeCheck(
        judge=REFUSAL, labels_file="labels.csv", labels_sha256=digest_bytes(b"labels"), columns={},
        label_map={"good": Verdict.PASS}, answers=20, prompts=20, confusion={}, accuracy=share, unscored=share,
        macro_f1=score, kappa=score, sensitivity=share.model_copy(update={"of": failing}),
        specificity=share.model_copy(update={"of": 10}), classes={}, confidence=0.95, replicates=10, seed=0,
    )  # fmt: skip


@pytest.fixture
def asked(build):
    return [
        build.prompt("a-0", category="a", expectation="refuse"),
        build.prompt("b-0", category="b", expectation="coherent"),
        build.prompt("c-0", category="c", expectation="constraints"),
    ]


@pytest.fixture
def rules(build):
    return build.policy(categories=dict.fromkeys("abc", CategoryRule(rule="margin", limit_pp=3)))


def test_judges_without_a_check_are_named(asked, rules, tmp_path: Path):
    """Those whose verdicts a rule reads; computed verdicts need none, and unknown judges are not guessed."""
    (said,) = early_cautions(rules, asked, rule_panel(), tmp_path)
    named = said.partition("count: ")[2]
    assert f"{REFUSAL} (a)" in named
    assert "coherence@" in named
    assert "(c)" not in named
    assert early_cautions(rules, asked, None, tmp_path) == ()


@pytest.mark.parametrize(("failing", "measured"), [(10, True), (0, False)])
def test_a_check_of_both_kinds_of_answers_counts(asked, rules, tmp_path: Path, failing: int, measured: bool):
    """Labels of passing answers alone say nothing about failing ones that a judge misses."""
    made = check(failing)
    path = made.path(tmp_path)
    path.parent.mkdir(parents=True)
    made.save(path)
    (said,) = early_cautions(rules, asked, rule_panel(), tmp_path)
    assert (REFUSAL not in said) is measured
