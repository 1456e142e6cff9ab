"""The chat template is tried on what a run renders, before the run."""

import json

import pytest

from components.shared.config.reading import load_pipeline_config, load_policy
from components.shared.errors import ConfigError, DataError
from pipelines.running import template_check
from pipelines.running.preflight import check_run
from tests.conftest import PLAIN_TEMPLATE

REFUSING = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turns') }}{% endif %}" + PLAIN_TEMPLATE
)


@pytest.fixture
def use_template(project, copy_of_base):
    """Gives the project's base model another chat template."""

    def use(template: str | None) -> None:
        (project.folder / "base").unlink()
        (project.folder / "base").symlink_to(copy_of_base(template))

    return use


def check(project, *overrides: str):
    config = load_pipeline_config("config.yaml", overrides)
    return check_run(config, load_policy("policy.yaml"), project.folder / "work")


def with_system_rows(project):
    rows = [json.loads(line) for line in project.data_path.read_text().splitlines()]
    for row in rows:
        row["messages"].insert(0, {"role": "system", "content": "Be brief."})
    project.write_data(rows)


def test_a_base_without_a_chat_template_is_refused(project, use_template):
    """Plimsoll tunes chat models; this is found without loading weights."""
    use_template(None)
    with pytest.raises(ConfigError, match="has no chat template"):
        check(project)


def test_rows_that_the_template_refuses_are_named(project, use_template):
    """Held-out rows are asked, the others are trained: the first row is named, and folding its turns is the cure."""
    use_template(REFUSING)
    assert "chat template: takes no system turns" in check(project).done
    with_system_rows(project)
    with pytest.raises(ConfigError, match=r"'task-0001' \(held-out training row, line \d+\): .*set system_turns: fold"):
        check(project, "data.system_turns=fold")
    with pytest.raises(ConfigError, match=r"training row 1 \(line \d+\): .*set system_turns: fold"):
        check(project, "evaluation.system_turns=fold")
    assert check(project, "data.system_turns=fold", "evaluation.system_turns=fold").done


def test_rows_that_are_too_long_are_found_before_the_run(project):
    """On the very tokens that are trained; nothing is ever cut."""
    with pytest.raises(DataError, match=r"training row \d+ .*over recipe\.max_length 8; .* rows are too long"):
        check(project, "recipe.max_length=8")


def test_of_very_many_rows_the_longest_are_looked_at(project, monkeypatch):
    """The longest ones are those that may be too long."""
    rows = [json.loads(line) for line in project.data_path.read_text().splitlines()]
    rows[7]["messages"][1]["content"] = "Yes. " * 400
    project.write_data(rows)
    monkeypatch.setattr(template_check, "MOST_ROWS", 2)
    with pytest.raises(DataError, match=r"training row 8 has .*\. 1 rows are too long"):
        check(project, "data.heldout_rows=0")


def test_prompts_that_the_template_refuses_are_named(project, use_template):
    """A system prompt of the evaluation is folded for prompts and rows alike, or refused."""
    use_template(REFUSING)
    with pytest.raises(ConfigError, match=r"suite 'small': prompt 'direct-0' \(.+\): .*takes no system turns"):
        check(project, "evaluation.system_prompt=Be kind.")
    assert check(project, "evaluation.system_prompt=Be kind.", "evaluation.system_turns=fold").done


def test_an_argument_that_the_template_does_not_read_is_refused(project):
    """A misspelt argument would change nothing, silently."""
    with pytest.raises(ConfigError, match="does not read 'effort'"):
        check(project, "evaluation.template_arguments={effort: low}")


def test_without_transformers_it_is_said(project, monkeypatch):
    """A machine that only submits needs no transformers."""
    monkeypatch.setattr(template_check, "find_spec", lambda name: None)
    checked = check(project)
    assert checked.skipped == ("chat template: transformers is not installed on this machine (the extra `gpu`)",)
