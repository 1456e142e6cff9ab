"""What is checked before a run starts and a model is loaded."""

import json

import pytest

from components.shared.audit import open_log
from components.shared.config.anchoring import anchor
from components.shared.config.reading import load_pipeline_config, load_policy
from components.shared.errors import ConfigError, DataError, IntegrityError, TrackingError
from components.shared.tracking.runs import open_client
from components.shared.tracking.store_check import check_store
from pipelines.running import check_notes
from pipelines.running.launch import load
from pipelines.running.preflight import check_run
from tests.pipelines.conftest import chat


def check(project, *overrides: str) -> None:
    config = anchor(load_pipeline_config("config.yaml", overrides), project.folder)
    check_run(config, load_policy("policy.yaml"), project.folder / "work")


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


def test_a_task_metric_needs_what_it_compares(project):
    """A judge for `judge`, and a number in each held-out row for `numeric`; likelihoods need nothing."""
    with pytest.raises(ConfigError, match=r"'heldout-task': prompt 'task-0001' expects 'judged', .* add a judge"):
        check(project, "data.task_metric=judge")
    rows = [chat(f"do task {n}", "done") for n in range(20)]
    project.write_data(rows)
    with pytest.raises(DataError, match=r"held-out training row, line \d+: the answer 'done' holds no number"):
        check(project, "data.task_metric=numeric")
    check(project, "data.task_metric=nll")


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
    with pytest.raises(ConfigError, match=r"base_model\.ancestor_report '.*/nowhere'"):
        check(project, "base_model.ancestor_report=nowhere")


def test_more_heldout_rows_than_data_are_found_before_the_run(project):
    """What prepare_data would refuse is refused before a model is loaded."""
    with pytest.raises(DataError, match=r"data\.heldout_rows is 5000"):
        check(project, "data.heldout_rows=5000")


def test_rows_that_are_all_alike_are_found_before_the_run(project):
    """Of equal rows one could be held out, and none would be left to train on."""
    project.write_data([chat("do the task", "done")] * 12)
    with pytest.raises(DataError, match="has 1 different prompts"):
        check(project)


def test_a_share_that_the_rows_cannot_give_is_found_before_the_run(project):
    """Half of the training set cannot come from three rows beside eight."""
    rows = "".join(f"{json.dumps(chat(f'refuse {number}', 'No.'))}\n" for number in range(3))
    (project.folder / "safety.jsonl").write_text(rows)
    with pytest.raises(DataError, match="has 3 rows, but its share of the training set takes 8"):
        check(project, "data.mix=[{path: safety.jsonl, role: safety, share: 0.5}]")


def test_a_deleted_experiment_is_found_before_the_run(tracked_project):
    """MLflow would refuse the first run of it."""
    tracking = anchor(load("config.yaml").config, tracked_project.folder).tracking
    client = open_client(tracking)
    client.delete_experiment(client.create_experiment(tracking.experiment))
    with pytest.raises(ConfigError, match=r"tracking\.experiment: 'plimsoll' was deleted"):
        check(tracked_project)


def test_a_calibration_needs_no_records(project, monkeypatch):
    """It writes neither to MLflow nor to the audit log, so it does not wait for a server that is away."""
    config = anchor(load_pipeline_config("config.yaml", ["tracking.uri=http://127.0.0.1:9"]), project.folder)
    checked = check_run(config, load_policy("policy.yaml"), project.folder / "work", recorded=False)
    assert [line.partition(":")[0] for line in checked.done][-2:] == ["store", "free disk"]
    monkeypatch.setattr(check_store, "__defaults__", (0.0,))
    with pytest.raises(TrackingError, match="did not answer"):
        check_run(config, load_policy("policy.yaml"), project.folder / "work")


def test_a_store_that_cannot_be_written_is_found_before_the_run(project):
    """A file in the way of the store's folder is named."""
    (project.folder / "taken").write_text("")
    with pytest.raises(ConfigError, match=r"store: '.*/taken/store' cannot be written: .*/taken is no folder"):
        check(project, "store=taken/store")


def test_a_cluster_may_reach_what_this_machine_does_not(project, environment, monkeypatch):
    """Claims that are not mounted, a store without credentials and an MLflow server that is away are said."""
    monkeypatch.setattr(check_store, "__defaults__", (0.0,))
    overrides = [
        "base_model.path=/models/base",
        "data.train=s3://rows/task.jsonl",
        "tracking.uri=http://127.0.0.1:9",
        "tracking.audit_log=s3://log/audit",
        "cluster.volumes=[{claim: models, path: /models}]",
    ]
    config = load_pipeline_config("config.yaml", overrides)
    checked = check_run(config, load_policy("policy.yaml"), None)
    assert [line.partition(":")[0] for line in checked.skipped] == ["base model", "data", "audit log", "MLflow"]
    assert "/models/base is on the claim models, which is not mounted on this machine" in checked.skipped[0]
    assert "no credentials" in checked.skipped[1]
    assert [line.partition(":")[0] for line in checked.done] == ["suites and policy", "judges", "cautions", "store"]
    assert all(len(line) < 400 for line in checked.skipped)
    with pytest.raises(ConfigError, match="does not exist"):
        check_run(config, load_policy("policy.yaml"), project.folder / "work")


def test_what_is_reached_and_wrong_stops_a_submission(project, bucket, call):
    """A missing object, and a local file that is not there, end with exit code 2 before anything is compiled."""
    for wrong, named in (
        (f"data.train={bucket}/nothing.jsonl", "there is no such object"),
        ("data.train=nothing.jsonl", "no such file"),
        ("store=s3://no-such-bucket/store", "store: s3://no-such-bucket/store/plimsoll: there is no such bucket"),
    ):
        called = call("compile", "config.yaml", "-o", "out.yaml", "--set", wrong)
        assert (called.code, named in called.err) == (2, True), called.err
        assert "--no-check leaves this check out" in called.err
        assert not (project.folder / "out.yaml").exists()
    assert call("compile", "config.yaml", "-o", "out.yaml", "--no-check", "--set", "data.train=nothing.jsonl").code == 0
    assert (project.folder / "out.yaml").exists()


def test_the_key_of_a_judge_may_be_a_secret_of_the_cluster(project):
    """A key that the cluster gives need not be on the machine that submits."""
    judge = "{kind: llm, name: j, role: opinion, expectations: [refuse], url: 'http://j/v1', model: m, template: "
    judge += "'{{ answer }}', parse: '(?P<label>A|B)', labels: {A: pass, B: fail}, api_key_env: JUDGE_KEY}"
    given = "cluster.secrets=[{name: keys, keys: {judge: JUDGE_KEY}}]"
    for overrides, refused in (([], True), ([given], False)):
        config = load_pipeline_config("config.yaml", [f"evaluation.judges=[{judge}]", *overrides])
        if refused:
            with pytest.raises(ConfigError, match="JUDGE_KEY is not set"):
                check_run(config, load_policy("policy.yaml"), None)
        else:
            assert "secret gives the key JUDGE_KEY" in check_run(config, load_policy("policy.yaml"), None).skipped[0]


def test_a_slow_check_says_what_it_does(project, monkeypatch, capsys):
    """What takes longer than a few seconds is announced on standard error."""
    monkeypatch.setattr(check_notes, "_QUIET_S", 0.0)
    check(project)
    assert "[preflight] checking data ..." in capsys.readouterr().err


def test_the_key_of_the_store_is_looked_for(project, monkeypatch: pytest.MonkeyPatch):
    """Here it must be set and long enough; on a cluster a secret must give it, and this machine need not have it."""
    named = "store_key_env=STORE_KEY"
    monkeypatch.delenv("STORE_KEY", raising=False)
    with pytest.raises(ConfigError, match="the environment variable STORE_KEY is not set; expected the key"):
        check(project, named)
    monkeypatch.setenv("STORE_KEY", "too short to be a key")
    with pytest.raises(ConfigError, match=r"STORE_KEY holds 21 characters; .* at least 32") as refused:
        check(project, named)
    assert "too short" not in str(refused.value)
    monkeypatch.setenv("STORE_KEY", "5f0c2f6e9d6b4a1c8e7d3b2a19080706")
    check(project, named)
    policy = load_policy("policy.yaml")
    with pytest.raises(ConfigError, match=r"STORE_KEY is given to no step; .* add it to cluster\.secrets"):
        check_run(load_pipeline_config("config.yaml", [named]), policy, None)
    given = "cluster.secrets=[{name: keys, keys: {signing: STORE_KEY}}]"
    skipped = check_run(load_pipeline_config("config.yaml", [named, given]), policy, None).skipped
    assert "store key: the cluster's secret gives STORE_KEY to the steps" in skipped


def test_a_key_in_the_place_of_its_name_is_hidden(project):
    """Who writes the key itself into the config gets an error that does not show it."""
    project.write_config(store_key_env="5f0c2f6e9d6b4a1c8e7d3b2a19080706")
    with pytest.raises(ConfigError, match=r"store_key_env: got '\(hidden: not the name of a variable\)'") as refused:
        load_pipeline_config("config.yaml")
    assert "5f0c2f6e" not in str(refused.value)
