"""Sections of judges that are models."""

import pytest
from pydantic import TypeAdapter, ValidationError

from components.shared.config.base_model import BaseModelRef
from components.shared.config.judges import (
    JUDGE_KINDS,
    ClassifierConfig,
    GuardConfig,
    JudgeConfig,
    LlmConfig,
    ScoreScale,
)
from components.shared.vocabulary import Verdict

MODEL = BaseModelRef(path="models/x")


def classifier(**changes: object) -> ClassifierConfig:
    fields = {"kind": "classifier", "name": "x", "expectations": ("refuse",), "model": MODEL, "label": "a"}
    return ClassifierConfig(**{**fields, "fail_at": 0.5, **changes})


def guard(**changes: object) -> GuardConfig:
    return GuardConfig(**{"kind": "guard", "name": "x", "expectations": ("refuse",), "model": MODEL, **changes})


def llm(**changes: object) -> LlmConfig:
    fields = {
        "kind": "llm",
        "name": "x",
        "expectations": ("refuse",),
        "url": "http://judge:8000/v1",
        "model": "m",
        "template": "{{ answer }}",
        "parse": "(?P<label>.+)",
        "labels": {"ok": "pass"},
    }
    return LlmConfig(**{**fields, **changes})


def test_a_label_stands_for_a_verdict():
    """Every verdict but incoherent, which is the coherence judge's."""
    labels = {verdict.value: verdict.value for verdict in Verdict if verdict is not Verdict.INCOHERENT}
    section = guard(parse="(?P<label>.+)", labels=labels)
    assert section.labels == {word: Verdict(word) for word in labels}
    assert section.model_dump(mode="json")["labels"] == labels


def test_the_kind_chooses_the_section():
    """Any judge can be read from JSON by its kind."""
    read = [
        TypeAdapter(JudgeConfig).validate_json(section.model_dump_json()) for section in (classifier(), guard(), llm())
    ]
    assert {section.kind: type(section) for section in read} == JUDGE_KINDS


@pytest.mark.parametrize("path", [{"path": None}, {"hub_id": "a/b"}, {"path": None, "hub_id": "a/b"}])
def test_a_model_is_a_path_or_a_pinned_hub_id(path):
    """The rule of the base model holds for judges."""
    with pytest.raises(ValidationError, match=r"give exactly one of|needs a revision"):
        classifier(model={"path": "models/x", **path})


@pytest.mark.parametrize("partial_at", [0.5, 0.7])
def test_partial_lies_below_fail(partial_at):
    """Thresholds in the wrong order would never give partial."""
    with pytest.raises(ValidationError, match=r"expected less than fail_at, 0\.5"):
        classifier(partial_at=partial_at)


@pytest.mark.parametrize("name", ["", "Toxicity", "a b", "a@1", "-a"])
def test_names_are_simple(name):
    """A name is part of name@version and of keys."""
    with pytest.raises(ValidationError, match="should match pattern"):
        guard(name=name)


def test_a_judge_reads_something():
    """A judge without expectations would never be asked."""
    with pytest.raises(ValidationError, match="at least 1 item"):
        guard(expectations=())


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ answer", "line 1 is no Jinja template"),
        ("{{ prompt }}", "does not use {{ answer }}"),
        ("{{ answer }} {{ question }}", "uses question; expected answer, caveats, messages, prompt, reference, system"),
    ],
)
@pytest.mark.parametrize("section", [guard, llm])
def test_a_template_is_checked(section, template, message):
    """Syntax and names are checked before a model is loaded."""
    with pytest.raises(ValidationError) as caught:
        section(template=template)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parse": "("}, "not a regular expression"),
        ({"parse": "safe"}, r"parse: has the groups []; expected (?P<label>...)"),
        ({"parse": "(?P<label>.)(?P<score>.)"}, "has the groups ['label', 'score']; expected (?P<label>...)"),
        ({"labels": {"Safe": "pass", "safe ": "fail"}}, "differ by case or spacing only"),
        ({"labels": {"false": "pass"}}, "'false' does not occur in parse; quote yes, no, on and off"),
        ({"labels": {"safe": "incoherent"}}, "expected pass, partial, fail or unscored"),
        ({"labels": {"safe": "good"}}, "Input should be 'pass', 'partial', 'fail'"),
        ({"labels": {}}, "at least 1 item"),
    ],
)
def test_a_guards_reply_can_be_read(changes, message):
    """Pattern and labels fit each other."""
    with pytest.raises(ValidationError) as caught:
        guard(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": None}, "give labels, scale or both"),
        ({"scale": ScoreScale(fail_below=3)}, "expected (?P<label>...) and (?P<score>...)"),
        ({"url": "judge:8000"}, "expected http://HOST/"),
        ({"url": "http://me:secret@judge/v1"}, "no user, password or query"),
        ({"url": "http://judge/v1?key=a"}, "no user, password or query"),
        ({"url": "http://judge:99999/v1"}, "Port out of range"),
        ({"extra": {"temperature": 1}}, "extra may not hold temperature"),
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"timeout_s": 0.0}, "greater than 0"),
    ],
)
def test_an_endpoint_is_checked(changes, message):
    """What cannot work is refused with the cure."""
    with pytest.raises(ValidationError) as caught:
        llm(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize("url", ["http://j/v1", "http://j/v1/", "http://j/v1/chat/completions"])
def test_a_url_has_one_form(url):
    """With and without the last part it is the same endpoint."""
    assert llm(url=url).url == "http://j/v1"


@pytest.mark.parametrize("key", ["sk-abcdef", "qwertyuiop", "Q W", "A" * 101])
def test_a_key_is_not_a_name(key):
    """A pasted key is refused and not repeated."""
    with pytest.raises(ValidationError) as caught:
        llm(api_key_env=key)
    assert "hidden: not the name of a variable" in str(caught.value)
    assert key not in str(caught.value)


def test_a_name_of_a_variable_is_taken():
    """None needs no key."""
    assert (llm(api_key_env="JUDGE_KEY_2").api_key_env, llm().api_key_env) == ("JUDGE_KEY_2", None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"fail_below": 30.0, "fail_at": 70.0},
        {"fail_below": 30.0, "partial_at": 50.0},
        {"fail_at": 30.0, "partial_below": 50.0},
        {"fail_below": 30.0, "partial_below": 30.0},
        {"fail_below": 0.0},
        {"fail_at": 101.0},
        {"fail_at": 50.0, "partial_at": 60.0},
        {"lowest": 5.0, "highest": 1.0, "fail_at": 3.0},
    ],
)
def test_a_scale_has_one_direction(fields):
    """Thresholds out of order, out of range or of two directions are refused."""
    with pytest.raises(ValidationError, match=r"give exactly one|goes with|ascending order"):
        ScoreScale(**fields)


def test_scales_may_end_at_their_ends():
    """A score of 0 or 1 needs no room beside its threshold."""
    assert ScoreScale(lowest=0, highest=1, fail_at=1).fail_at == 1
    assert ScoreScale(lowest=1, highest=5, partial_at=2, fail_at=5).partial_at == 2
    assert ScoreScale(fail_below=30, partial_below=100).partial_below == 100
