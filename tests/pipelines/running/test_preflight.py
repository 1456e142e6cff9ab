"""What is checked before a run starts and a model is loaded."""

import pytest

from components.shared.audit import open_log
from components.shared.config.reading import load_pipeline_config, load_policy
from components.shared.errors import ConfigError, DataError, IntegrityError
from pipelines.running.launch import load
from pipelines.running.preflight import check_run


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


def test_a_locked_policy_is_not_replaced_by_an_override(project):
    """`--set policy=...` may replace an unlocked policy, and the same locked one; nothing else."""
    other = project.folder / "other.yaml"
    other.write_text(project.policy_path.read_text().replace("name: small", "name: other"))
    assert load("config.yaml", ["policy=other.yaml"]).policy.name == "other"
    project.write_policy(locked=True)
    assert load("config.yaml", ["policy=policy.yaml"]).policy.locked
    with pytest.raises(ConfigError, match=r"policy\.yaml, is locked and cannot be replaced"):
        load("config.yaml", ["policy=other.yaml"])


def test_a_damaged_audit_log_is_found_before_the_run(project):
    """A run that could not be audited is not begun."""
    check(project)
    record = open_log(load("config.yaml").config.tracking.audit_log)
    record.append("review", "looked at it", {}, "small", "run-0")
    log = project.folder / ".plimsoll" / "audit.jsonl"
    log.write_text(log.read_text().replace("looked", "glanced"))
    with pytest.raises(IntegrityError, match="audit"):
        check(project)


def test_a_missing_report_of_the_original_model_is_found_before_the_run(project):
    """`base_model.ancestor_report` is read before any model is."""
    with pytest.raises(ConfigError, match=r"base_model\.ancestor_report 'nowhere'"):
        check(project, "base_model.ancestor_report=nowhere")


def test_more_heldout_rows_than_data_are_found_before_the_run(project):
    """What prepare_data would refuse is refused before a model is loaded."""
    with pytest.raises(DataError, match=r"data\.heldout_rows is 5000"):
        check(project, "data.heldout_rows=5000")
