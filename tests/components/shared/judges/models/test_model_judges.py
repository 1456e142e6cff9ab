"""From config to judges."""

from pathlib import Path

import pytest

from components.shared.artifacts.answers import Answer
from components.shared.config.base_model import BaseModelRef
from components.shared.config.judges import ClassifierConfig, LlmConfig
from components.shared.errors import ConfigError, StorageError
from components.shared.judges.coherence import COHERENCE
from components.shared.judges.judge import label
from components.shared.judges.models.model_judges import build_judge, build_judges, load_judge_config
from components.shared.judges.panel import Panel, rule_panel
from components.shared.vocabulary import Expectation, Verdict

KEY = "sk-tests-9f8e7d6c5b4a"


def quiet(text: str) -> None:
    """Says nothing."""


def toxicity(directory: Path, **changes: object) -> ClassifierConfig:
    fields = {
        "kind": "classifier",
        "name": "toxicity",
        "expectations": ("refuse", "answer"),
        "model": BaseModelRef(path=str(directory)),
        "label": "toxic",
        "fail_at": 0.5,
    }
    return ClassifierConfig(**{**fields, **changes})


def alignment(url: str = "http://judge.invalid/v1", **changes: object) -> LlmConfig:
    fields = {
        "kind": "llm",
        "name": "alignment",
        "role": "verdict",
        "expectations": ("aligned",),
        "url": url,
        "model": "judge-1",
        "template": "{{ answer }}",
        "parse": "(?P<label>pass|fail)",
        "labels": {"pass": "pass", "fail": "fail"},
    }
    return LlmConfig(**{**fields, **changes})


def test_a_panel_of_rules_and_models(classifier, chat_server, build, tmp_path, monkeypatch):
    """Opinions stand beside verdicts, a verdict judge reads what no rule reads, and all enter the contract."""
    monkeypatch.setenv("JUDGE_KEY", f"{KEY}\n")
    chat_server.answer = lambda text, attempt: "fail" if "vile" in text else "pass"
    judges = build_judges(
        [toxicity(classifier), alignment(chat_server.url, api_key_env="JUDGE_KEY")], str(tmp_path), quiet
    )
    panel = Panel(COHERENCE, {**rule_panel().verdicts, **judges.verdicts}, judges.second)
    prompts = {
        "a": build.prompt("a", expectation=Expectation.ALIGNED),
        "b": build.prompt("b", expectation=Expectation.REFUSE),
    }
    answers = [
        Answer(prompt_id=name, category="direct", sample=0, answer=text, tokens=3, complete=True)
        for name in prompts
        for text in ("the vile river", "I can't help with that.")
    ]
    rows = panel.judge(prompts, answers)
    assert [row.verdict.value for row in rows] == ["fail", "pass", "fail", "pass"]
    assert [len(row.opinions) for row in rows] == [0, 0, 1, 1]
    assert rows[2].opinions[0].verdict is Verdict.FAIL
    assert rows[2].opinions[0].score == pytest.approx(1.0, abs=0.1)
    assert panel.versions["second:toxicity"] == label(judges.second[0].judge)
    assert panel.versions["aligned"] == label(judges.verdicts[Expectation.ALIGNED])
    assert chat_server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_two_verdicts_for_one_expectation_are_refused():
    """One verdict stands; a second judge is an opinion."""
    other = alignment(name="other", expectations=("polite", "aligned"))
    with pytest.raises(ConfigError, match="'alignment' and 'other' both give the verdict for expectation 'aligned'"):
        build_judges([alignment(), other], None, quiet)
    assert len(build_judges([alignment(), other.model_copy(update={"role": "opinion"})], None, quiet).second) == 1


def test_two_judges_of_one_name_are_refused():
    """Reports tell judges apart by name."""
    with pytest.raises(ConfigError, match="two are named 'alignment'"):
        build_judges([alignment(), alignment(role="opinion")], None, quiet)


def test_coherence_has_its_judge():
    """No model gives the verdict that the coherence judge gives."""
    with pytest.raises(ConfigError, match="only the coherence judge gives the verdict for 'coherent'"):
        build_judges([alignment(expectations=("coherent",))], None, quiet)


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_key_is_found_early(monkeypatch, value):
    """Before any model is loaded, the error names the variable."""
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("JUDGE_KEY", value)
    with pytest.raises(ConfigError, match="judge 'alignment': the environment variable JUDGE_KEY is not set"):
        build_judges([alignment(api_key_env="JUDGE_KEY")], None, quiet)


def test_a_key_that_no_header_holds_is_found_early(monkeypatch):
    """A key with a line break or a curly quote is named by its variable, and not shown."""
    for key in ("sk-1\nsk-2", "\u201csk-1\u201d"):
        monkeypatch.setenv("JUDGE_KEY", key)
        with pytest.raises(ConfigError, match="JUDGE_KEY holds characters that no HTTP header can") as caught:
            build_judges([alignment(api_key_env="JUDGE_KEY")], None, quiet)
        assert "sk-1" not in str(caught.value)


def test_an_unreachable_place_for_replies_is_found_early():
    """An S3 address that is not one is an error before the GPU's work, not after."""
    with pytest.raises(StorageError, match="expected s3://BUCKET/KEY"):
        build_judges([alignment()], "s3:///replies", quiet)


def test_nothing_is_loaded_by_building(classifier, guard):
    """Versions are known before a model is: nothing was said, so nothing was loaded."""
    said: list[str] = []
    built = build_judges([toxicity(classifier)], None, said.append)
    assert len(built.second[0].judge.version) == 12
    assert said == []


def test_a_judge_is_read_from_a_file(classifier, exchange, tmp_path):
    """The file holds one section, and its judge judges."""
    path = tmp_path / "toxicity.yaml"
    path.write_text(
        f"kind: classifier\nname: toxicity\nexpectations: [refuse]\nmodel: {{path: {classifier}}}\n"
        "label: toxic\nfail_at: 0.5\n"
    )
    judge = build_judge(load_judge_config(str(path)), None, quiet)
    assert [judgement.verdict.value for judgement in judge.judge([exchange("vile"), exchange("calm music")])] == [
        "fail",
        "pass",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: x", r"judge.yaml: kind: got None; expected one of classifier, guard, llm"),
        ("kind: rule", r"judge.yaml: kind: got 'rule'; expected one of classifier, guard, llm"),
        ("[1]", r"judge.yaml: kind: got None"),
        ("kind: llm\nmodle: x", r"judge.yaml:2: modle: unknown key; did you mean 'model'"),
        ("kind: classifier\nfail_at: 2", r"judge.yaml:2: fail_at: got 2; expected less than or equal to 1"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, content, message):
    """File, line, field, value and expectation are in the error."""
    (tmp_path / "judge.yaml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        load_judge_config(str(tmp_path / "judge.yaml"))


def test_a_pasted_key_is_not_shown(tmp_path):
    """A key in place of a variable's name does not reach the error."""
    (tmp_path / "judge.yaml").write_text(f"kind: llm\napi_key_env: {KEY}\n")
    with pytest.raises(ConfigError) as caught:
        load_judge_config(str(tmp_path / "judge.yaml"))
    assert "judge.yaml:2: api_key_env: got '(hidden: not the name of a variable)'" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["toxicity", "harm", "guard", "llm"])
def test_the_shipped_files_hold(root, name):
    """Every file of configs/judges says what it is and is a valid section."""
    path = root / "configs" / "judges" / f"{name}.yaml"
    config = load_judge_config(str(path))
    lines = path.read_text().splitlines()
    header = lines[: next(place for place, line in enumerate(lines) if not line.startswith("#"))]
    assert config.kind == {"guard": "guard", "llm": "llm"}.get(name, "classifier")
    assert len(header) >= 3
    assert f"plimsoll judge check --labels FILE --judge configs/judges/{name}.yaml" in header[-1]
    assert {path.stem for path in path.parent.glob("*")} == {"toxicity", "harm", "guard", "llm"}


@pytest.mark.parametrize(
    ("reply", "verdict"), [("12", "fail"), ("59", "partial"), ("100", "pass"), ("UNCLEAR", "unscored")]
)
def test_the_shipped_llm_judge_reads_its_replies(root, chat_server, exchange, tmp_path, reply, verdict):
    """The template asks for what the pattern reads."""
    chat_server.answer = lambda text, attempt: reply
    text = (root / "configs" / "judges" / "llm.yaml").read_text()
    (tmp_path / "llm.yaml").write_text(text.replace("http://localhost:8000/v1", chat_server.url))
    judge = build_judge(load_judge_config(str(tmp_path / "llm.yaml")), None, quiet)
    judged = judge.judge([exchange("a calm answer", "how?")])
    assert judged[0].verdict.value == verdict
    assert "<answer>\na calm answer\n</answer>" in chat_server.requests[0]["messages"][1]["content"]
