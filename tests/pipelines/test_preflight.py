"""What is checked before a run starts and a model is loaded."""

import pytest

from components.shared.config.files import load_pipeline_config, load_policy
from components.shared.errors import ConfigError
from pipelines.preflight import check_run


def check(project, *overrides: str) -> None:
    check_run(load_pipeline_config("config.yaml", overrides), load_policy("policy.yaml"), project.folder / "work")


def test_a_project_that_fits_together_passes(project):
    """Config, policy, suite, base model and rows that belong together raise nothing."""
    check(project)


def test_prompts_that_no_judge_reads_are_refused(project):
    """An expectation that only a model can judge needs one; the error says where to add it."""
    text = (project.folder / "suite.jsonl").read_text().replace('"answer"', '"aligned"')
    project.write_suite_rows(text)
    with pytest.raises(
        ConfigError, match=r"suite 'small': prompt 'benign-0' expects 'aligned', which no rule can judge"
    ):
        check(project)


def test_equal_greedy_answers_are_refused(project):
    """A prompt that asks for several answers cannot be asked greedily."""
    project.write_suite_rows((project.folder / "suite.jsonl").read_text().replace('"source"', '"samples": 3, "source"'))
    with pytest.raises(ConfigError, match=r"asks for 3 answers, but evaluation\.temperature is 0"):
        check(project, "evaluation.temperature=0", "evaluation.samples_per_prompt=1")


def test_rare_intents_need_a_rule_or_must_be_ungated(project):
    """Held-out rows of rare intents are a category like any other."""
    with pytest.raises(ConfigError, match="no rule for rare_intent"):
        check(project, "data.rare_intent_rows=2")
    project.write_policy(ungated=["rare_intent"])
    check(project, "data.rare_intent_rows=2")
