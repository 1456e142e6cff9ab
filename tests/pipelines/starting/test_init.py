"""`plimsoll init`: flags, questions, and the config that comes of it."""

import io
import json
import sys
from pathlib import Path

import pytest

from components.shared.config.reading import load_pipeline_config
from components.shared.errors import ConfigError
from pipelines.starting.first_config import quoted
from pipelines.starting.questions import Interview, Told
from pipelines.starting.shipped import shipped_folder
from tests.pipelines.conftest import chat

NOTHING_TOLD = Told(None, None, None, None, None, (), None, None, None, None)


@pytest.fixture
def folder(tmp_path, tiny_base, monkeypatch) -> Path:
    """A user's folder: a base model and rows, and no configs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").symlink_to(tiny_base)
    rows = [chat(f"do task {number}", f"done {number}") for number in range(60)]
    (tmp_path / "train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return tmp_path


@pytest.fixture
def typed(monkeypatch):
    """Answers that a person types, in this order."""

    def answers(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return answers


def test_flags_write_a_config_that_passes_the_check(folder, call):
    """With a base and rows everything else has a default; policy and suites are copied, and what was found is said."""
    called = call("init", "support.yaml", "--base", "base", "--data", "train.jsonl")
    assert called.code == 0, called.err
    assert "train.jsonl: 60 rows, chat" in called.out
    assert "copied configs/suites/red-team.jsonl" in called.out
    config = load_pipeline_config("support.yaml")
    assert (config.name, config.base_model.path, config.data.train) == ("support", "base", "train.jsonl")
    assert config.suites == ("configs/suites/red-team.yaml",)
    assert (config.data.heldout_rows, config.recipe.max_length, config.evaluation.max_new_tokens) == (6, 64, 32)
    assert config.registry.model_name == config.tracking.experiment == "support"
    checked = call("config", "check", "support.yaml")
    assert (checked.code, checked.out.splitlines()[-1]) == (0, "support.yaml: ok")


def test_every_flag_reaches_the_config(folder, call):
    """Columns, policy, suites, names and stores are those that were told; a path below the folder becomes relative."""
    rows = [{"Question": f"q {n}", "yes": f"a {n}"} for n in range(10)]
    (folder / "rows.json").write_text(json.dumps(rows))
    called = call(
        "init", "x.yaml", "--base", folder / "base", "--data", folder / "rows.json", "--prompt-column", "Question",
        "--completion-column", "yes", "--policy", "medical", "--suite", "red-team", "--suite", "tone",
        "--name", "nurse",
        "--model-name", "nurse 2", "--tracking", "sqlite:///m.db", "--store", "kept",
    )  # fmt: skip
    assert called.code == 0, called.err
    config = load_pipeline_config("x.yaml")
    assert config.data.train == "rows.json"
    assert config.data.columns.mapping == {"prompt": "Question", "completion": "yes"}
    assert config.data.heldout_rows == 0
    assert config.policy == "configs/policies/medical.yaml"
    assert config.suites == ("configs/suites/red-team.yaml", "configs/suites/tone.yaml")
    assert (config.name, config.registry.model_name, config.store) == ("nurse", "nurse 2", "kept")
    assert (config.tracking.uri, config.tracking.audit_log) == ("sqlite:///m.db", "./audit.jsonl")


def test_few_rows_are_held_out_only_if_the_policy_needs_them(folder, call):
    """The strict policy has a floor for the task, so it gets a held-out row even of ten."""
    rows = "".join(f"{json.dumps(chat(f'do {number}', 'done'))}\n" for number in range(10))
    (folder / "train.jsonl").write_text(rows)
    for policy, expected in (("standard", 0), ("strict", 1)):
        called = call("init", "x.yaml", "--base", "base", "--data", "train.jsonl", "--policy", policy, "--force")
        assert called.code == 0, called.err
        assert load_pipeline_config("x.yaml").data.heldout_rows == expected


def test_a_file_is_not_replaced_unasked(folder, call):
    """--force replaces it."""
    (folder / "mine.yaml").write_text("name: mine\n")
    arguments = ("init", "mine.yaml", "--base", "base", "--data", "train.jsonl")
    called = call(*arguments)
    assert (called.code, "mine.yaml: exists already" in called.err) == (2, True)
    assert (folder / "mine.yaml").read_text() == "name: mine\n"
    assert call(*arguments, "--force").code == 0
    assert load_pipeline_config("mine.yaml").name == "mine"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--data", "train.jsonl"), "--base is missing, and there is no terminal to ask on"),
        (("--base", "base", "--data", "nothing.jsonl"), "nothing.jsonl: no such file"),
        (("--base", "org/model", "--data", "train.jsonl"), "needs a commit (--revision)"),
        (("--base", "base", "--data", "train.jsonl", "--policy", "lax"), "policy 'lax': expected financial"),
        (("--base", "base", "--data", "train.jsonl", "--suite", "tone"), "has a rule for benign_twin"),
        (("--base", "base", "--data", "train.jsonl", "--name", "A b"), "name 'A b': expected lower-case"),
        (("--base", "base", "--data", "train.jsonl", "--model-name", "a/b"), "model name 'a/b': a registered"),
        (("--base", "base", "--data", "train.jsonl", "--tracking", "mlruns"), "MLflow store 'mlruns': expected"),
    ],
)
def test_a_wrong_flag_is_one_error_and_nothing_is_written(folder, call, arguments, named):
    """The error names the value and what was expected; the exit code is that of wrong input."""
    called = call("init", "x.yaml", *arguments)
    assert (called.code, named in called.err) == (2, True), called.err
    assert "Traceback" not in called.err
    assert not (folder / "x.yaml").exists()


def test_a_config_that_would_not_pass_is_not_written(folder, call):
    """The preflight's error comes with the note that nothing was written."""
    asked = json.loads((shipped_folder() / "suites/red-team.jsonl").read_text().splitlines()[0])["prompt"]
    (folder / "train.jsonl").write_text(f"{json.dumps(chat(asked, 'No.'))}\n")
    called = call("init", "x.yaml", "--base", "base", "--data", "train.jsonl")
    assert (called.code, "x.yaml was not written" in called.err) == (2, True), called.err
    assert "rt-direct-001" in called.err
    assert not (folder / "x.yaml").exists()


def test_a_person_is_asked_again_with_the_reason(folder, typed, capsys):
    """Wrong answers are explained and asked again; empty ones take the default."""
    typed("nowhere", "base", "missing.jsonl", "train.jsonl", "lax", "", "tone", "", "", "", "", "")
    first = Interview(NOTHING_TOLD, asks=True).config(Path("My Support.yaml"))
    out = capsys.readouterr().out
    assert out.count("that cannot be used: ") == 4
    assert "'nowhere' does not exist" in out
    assert "suites, with spaces between them (red-team, coherence, hallucination" in out
    assert (first.name, first.model_name, first.policy) == (
        "my-support",
        "my-support",
        "configs/policies/standard.yaml",
    )
    assert first.config().suites == ("configs/suites/red-team.yaml",)


def test_a_person_is_asked_for_columns_and_a_commit(folder, typed, capsys):
    """Rows of no known shape lead to the question for their columns, a hub id to that for its commit."""
    (folder / "rows.jsonl").write_text("".join(f'{{"q": "ask {n}", "a": "say {n}"}}\n' for n in range(30)))
    typed("org/model", "0" * 40, "rows.jsonl", "q", "a", "", "", "", "", "", "")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
        patched.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "hub"))
        first = Interview(NOTHING_TOLD, asks=True).config(Path("x.yaml"))
    config = first.config()
    assert (config.base_model.hub_id, config.base_model.revision) == ("org/model", "0" * 40)
    assert config.data.columns.mapping == {"prompt": "q", "completion": "a"}
    assert "30 rows, named columns" in first.found


@pytest.mark.parametrize("text", ["a b", "C:x", "on", "null", "12", "é", 'a"b', "#x", "", "-x", "1.5", "yes"])
def test_every_text_comes_back_as_it_was(text, tmp_path):
    """What YAML would read as something else is quoted."""
    from components.shared.config.reading import read_yaml

    (tmp_path / "x.yaml").write_text(f"k: {quoted(text)}\n", encoding="utf-8")
    assert read_yaml(str(tmp_path / "x.yaml")) == {"k": text}


def test_a_tag_of_the_hub_needs_a_commit(folder, monkeypatch):
    """A revision that can move is refused, also where the hub cannot be asked what it is."""
    from pipelines.starting.checked_answers import base_of

    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "hub"))
    with pytest.raises(ConfigError, match="expected a commit of 40 hex digits"):
        base_of("org/model", "main")
