"""Second judges, each for itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.answers import Opinion
from components.shared.config.judges import ClassifierConfig, GuardConfig, LlmConfig
from components.shared.errors import DataError
from components.shared.metrics.measure import measure
from components.shared.metrics.opinions import score_directions
from components.shared.vocabulary import Verdict

OPINIONS = st.builds(
    Opinion,
    judge=st.just("harm@1"),
    verdict=st.sampled_from(list(Verdict)),
    score=st.none() | st.floats(0, 1),
    reason=st.just("said so"),
)


def _opinion(judge, verdict, score=None):
    return Opinion(judge=judge, verdict=Verdict(verdict), score=score, reason="said so")


def _of(metrics, judge, category="direct"):
    prefix = f"opinion/{judge}/"
    return {
        metric.name.removeprefix(prefix): metric.value
        for metric in metrics
        if metric.name.startswith(prefix) and metric.category == category
    }


def _rows(build, *opinions):
    return [build.row("a", n, opinions=(opinion,)) for n, opinion in enumerate(opinions)]


def test_mean_max_and_share(build):
    """Scores .1, .2 and .9, the last beyond the threshold, and one answer unread."""
    rows = _rows(
        build,
        _opinion("toxicity@2", "pass", 0.1),
        _opinion("toxicity@2", "pass", 0.2),
        _opinion("toxicity@2", "fail", 0.9),
        _opinion("toxicity@2", "unscored"),
    )
    found = _of(measure([build.prompt("a")], rows), "toxicity")
    assert found == pytest.approx({"mean": 0.4, "max": 0.9, "fail_share": 100 / 3, "unscored_share": 25.0})


def test_a_judge_without_scores_has_only_shares(build):
    """A guard says safe or unsafe: there is no mean to take."""
    rows = _rows(build, _opinion("guard@1", "fail"), _opinion("guard@1", "pass"))
    assert _of(measure([build.prompt("a")], rows), "guard") == {"fail_share": 50.0, "unscored_share": 0.0}


def test_what_no_judge_read_is_not_0(build):
    """Only unscored opinions leave their own share, and no score; a score on one of them is not used."""
    rows = _rows(build, _opinion("toxicity@1", "unscored", 0.3))
    assert _of(measure([build.prompt("a")], rows), "toxicity") == {"unscored_share": 100.0}


def test_a_low_score_can_be_the_bad_one(build):
    """With the judge's direction known, the mean has it, and the worst answer is the lowest where low is bad."""
    rows = _rows(build, _opinion("aligned@1", "fail", 10.0), _opinion("aligned@1", "pass", 90.0))
    metrics = measure([build.prompt("a")], rows, {"aligned": "down"})
    assert _of(metrics, "aligned") == {"mean": 50.0, "min": 10.0, "fail_share": 50.0, "unscored_share": 0.0}
    assert {m.worse for m in metrics if m.name in ("opinion/aligned/mean", "opinion/aligned/min")} == {"down"}


def test_an_unknown_direction_is_not_guessed(build):
    """Without a direction a score's change is neither better nor worse; a failing share always has one."""
    metrics = measure([build.prompt("a")], _rows(build, _opinion("tone@1", "fail", 1.0)))
    directions = {metric.name: metric.worse for metric in metrics}
    found = (directions["opinion/tone/mean"], directions["opinion/tone/max"], directions["opinion/tone/fail_share"])
    assert found == ("either", "either", "up")


def test_directions_come_from_the_judges_settings():
    """A classifier's probability is bad when high, an LLM's score as its scale says, and a guard has none."""
    common = {"expectations": ("refuse",)}
    model = {"model": {"hub_id": "toy/judge", "revision": "0" * 40}}
    llm = {"kind": "llm", "url": "http://judge:8000/v1", "model": "toy", "template": "{{ answer }}", **common}
    judges = [
        ClassifierConfig(kind="classifier", name="toxicity", label="toxic", fail_at=0.5, **model, **common),
        GuardConfig(kind="guard", name="guard", **model, **common),
        LlmConfig(name="low", parse=r"(?P<score>\d+)", scale={"fail_below": 50}, **llm),
        LlmConfig(name="high", parse=r"(?P<score>\d+)", scale={"fail_at": 50}, **llm),
        LlmConfig(name="words", parse=r"(?P<label>\w+)", labels={"good": "pass"}, **llm),
    ]
    assert score_directions(judges) == {"toxicity": "up", "low": "down", "high": "up"}


def test_two_versions_of_a_judge_are_two_judges(build):
    """Their opinions are not pooled: that is an error that names both."""
    rows = _rows(build, _opinion("harm@1", "pass"), _opinion("harm@2", "pass"))
    with pytest.raises(DataError, match=r"'harm@1' and 'harm@2'"):
        measure([build.prompt("a")], rows)


@given(st.lists(st.tuples(st.sampled_from(list(Verdict)), OPINIONS), min_size=1, max_size=8))
def test_refusal_and_harm_are_never_mixed(build, judged):
    """Without the harm judge everything else is the same, and its numbers are the same under any verdicts."""
    prompts = [build.prompt("a")]
    both = [build.row("a", n, verdict, opinions=(harm,)) for n, (verdict, harm) in enumerate(judged)]
    alone = [build.row("a", n, verdict) for n, (verdict, _) in enumerate(judged)]
    turned = [build.row("a", n, "pass", opinions=(harm,)) for n, (_, harm) in enumerate(judged)]
    full = measure(prompts, both)
    assert tuple(m for m in full if not m.name.startswith("opinion/")) == measure(prompts, alone)
    assert [m for m in full if m.name.startswith("opinion/")] == [
        m for m in measure(prompts, turned) if m.name.startswith("opinion/")
    ]


@given(st.lists(st.tuples(OPINIONS, OPINIONS), min_size=1, max_size=8))
def test_a_second_judge_does_not_change_another(build, said):
    """One judge's numbers are the same with and without a second judge beside it."""
    prompts = [build.prompt("a")]
    other = [[harm, opinion.model_copy(update={"judge": "toxicity@1"})] for harm, opinion in said]
    both = measure(prompts, [build.row("a", n, opinions=tuple(pair)) for n, pair in enumerate(other)])
    alone = measure(prompts, [build.row("a", n, opinions=(harm,)) for n, (harm, _) in enumerate(said)])
    assert _of(both, "harm") == _of(alone, "harm")
