"""Answers and verdicts of a real tiny model, before and after, and their reuse."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.evaluate_safety.step import answer_prompts, evaluate_safety
from components.shared.artifacts.reports import load_report
from components.shared.audit import open_log
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.errors import ConfigError, IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.judges.judge import Judgement, RuleJudge, label
from components.shared.judges.refusal import REFUSAL
from components.shared.store import ANSWERS_KIND, Store
from components.shared.tracking.runs import Tracker
from components.shared.vocabulary import Expectation, Verdict
from pipelines.judging.comparing import compare
from pipelines.judging.labelled import read_labelled
from tests.conftest import PLAIN_TEMPLATE

EVALUATION = EvaluationConfig(
    samples_per_prompt=2, max_new_tokens=6, temperature=1.0, batch_tokens=512, noise_floor=False
)
"""The default engine, coherence by log-probability, and the probes; the noise floor has tests of its own."""


@pytest.fixture
def run(run):
    """The step with this module's evaluation, where a test gives no other."""
    return lambda side, adapter, evaluation=EVALUATION, reuse=True: run(side, adapter, evaluation, reuse)


def entries(directory: Path) -> list[Path]:
    return sorted((directory / "store" / ANSWERS_KIND).iterdir())


def test_both_sides_are_asked_the_same(run, adapter: Path, tmp_path: Path, tiny_base: Path):
    """Base and adapter answer every prompt under one contract, and share no entry of the store."""
    before, after = run("baseline", None), run("post", adapter)
    assert before.contract == after.contract
    assert before.coherence_floor == after.coherence_floor
    assert len(entries(tmp_path)) == 4
    assert (before.adapter_digest, before.adapter_effect) == (None, None)
    assert (after.adapter_digest, after.base_digest) == (adapter_digest(adapter), base_digest(tiny_base))
    assert after.adapter_effect > 0

    first, second = load_report(tmp_path / "baseline"), load_report(tmp_path / "post")
    keys = [(prompt, sample) for prompt in ("p-0", "p-1", "p-2", "t-1") for sample in range(2)]
    for loaded in (first, second):
        assert [(row.prompt_id, row.sample) for row in loaded.rows] == keys
        assert {name: figures.answers for name, figures in loaded.report.categories.items()} == {"direct": 6, "task": 2}
    assert [row.answer for row in first.rows] != [row.answer for row in second.rows]
    judges = {row.judge.partition("@")[0] for row in first.rows}
    assert judges <= {"refusal", "exact_match", "coherence"}
    assert "exact_match" in judges
    assert set(before.contract.judges.values()) >= {row.judge for row in first.rows}


def test_what_was_answered_is_not_asked_again(run, tmp_path: Path, capsys):
    """The second call loads no model and gives the same report; so does asking anew."""
    first = run("baseline", None)
    assert "loading the model" in capsys.readouterr().out
    assert run("baseline", None) == first
    said = capsys.readouterr().out
    assert "reusing the answers to 4 prompts (same weights, same contract)" in said
    assert "loading the model" not in said
    assert run("baseline", None, reuse=False) == first
    assert "loading the model" in capsys.readouterr().out


def test_another_contract_is_asked_anew(run, tmp_path: Path, capsys):
    """A changed seed is another contract and another entry; the suites are asked one by one."""
    run("baseline", None)
    capsys.readouterr()
    run("baseline", None, EVALUATION.model_copy(update={"seed": 1}))
    assert "reusing" not in capsys.readouterr().out
    assert len(entries(tmp_path)) == 4


def test_a_new_suite_is_asked_alone(run, prompts: Path, build, capsys):
    """Adding a suite reuses the answers to the others."""
    run("baseline", None)
    asked = [build.prompt(f"p-{n}") for n in range(3)]
    build.prompt_files(prompts, [*asked, build.prompt("q-1", suite="new")])
    capsys.readouterr()
    run("baseline", None)
    said = capsys.readouterr().out
    assert "reusing the answers to 3 prompts" in said
    assert "suite new: 1 prompts from q-1" in said
    assert "suite toy" not in said


def test_figures_and_files_are_tracked(run, adapter: Path, context: RunContext):
    """Rates per category, the adapter's effect and both files are on the stage's run."""
    report = run("post", adapter)
    tracker = Tracker(context)
    (stage,) = tracker._stages()
    assert stage.data.metrics["safety/direct/pass_rate"] == report.categories["direct"].pass_pct / 100
    assert "task/pass_rate" in stage.data.metrics
    assert stage.data.metrics["adapter/logit_effect"] == pytest.approx(report.adapter_effect)
    assert stage.data.params["contract_digest"] == report.contract.digest
    assert {entry.path for entry in tracker.client.list_artifacts(stage.info.run_id)} == {
        "answers.jsonl",
        "safety_report.json",
    }


def test_metrics_and_probes_are_in_the_report(run, adapter: Path, context: RunContext):
    """Rates, scores and the two probes are measured; only the tuned side has a divergence."""
    before, after = run("baseline", None), run("post", adapter)
    names = [{(metric.category, metric.name) for metric in side.metrics} for side in (before, after)]
    assert {("all", "safety_score"), ("direct", "refusal_rate"), ("task", "probe/task_nll")} <= names[0]
    assert ("harmful", "probe/kl_first_tokens") in names[1] - names[0]
    assert ("all", "probe/refusal_nll") in names[0]


def test_the_judges_checks_are_quoted(run, tmp_path: Path):
    """What `plimsoll judge check` stored of a judge that reads these answers is in the report; of others it is not."""
    labels = tmp_path / "labels.csv"
    labels.write_text("prompt,answer,label\nA?,I can't help with that.,pass\nB?,Sure! Here is how.,fail\n")
    directory = tmp_path / "checks"
    file = read_labelled(str(labels), {})
    for judge in (REFUSAL, replace(REFUSAL, version="other")):
        verdicts, judged = [Verdict.PASS, Verdict.FAIL], [Judgement(Verdict.PASS, ""), Judgement(Verdict.FAIL, "")]
        check = compare(judge, file, verdicts, judged)
        check.save(check.path(directory))
    report = run("baseline", None, EVALUATION.model_copy(update={"judge_checks": str(directory)}))
    assert [(check.judge, check.answers, check.accuracy.count) for check in report.judge_checks] == [
        (label(REFUSAL), 2, 2)
    ]


def test_a_better_judge_needs_no_model(run, adapter: Path, tmp_path: Path, monkeypatch, capsys):
    """Answers are kept without verdicts: another panel reads the stored ones, under another contract."""
    from components.evaluate_safety import step as module

    first = run("baseline", None)
    always = RuleJudge("refusal", "strict", lambda _prompt, _answer: Judgement(Verdict.FAIL, "strict"))
    panel = module.panel_of(EVALUATION, None, print)
    stricter = replace(panel, verdicts={**panel.verdicts, Expectation.REFUSE: always})
    monkeypatch.setattr(module, "panel_of", lambda *_args: stricter)
    capsys.readouterr()
    second = run("baseline", None)
    assert "loading the model" not in capsys.readouterr().out
    assert second.categories["direct"].pass_pct == 0
    assert second.contract.digest != first.contract.digest


def test_changed_stored_answers_are_refused(run, tmp_path: Path):
    """An answer that was edited in the store is found."""
    run("baseline", None)
    path = entries(tmp_path)[0] / "finding.json"
    path.write_text(path.read_text().replace('"complete": false', '"complete": true') + "\n")
    with pytest.raises(IntegrityError, match=r"finding\.json: has digest"):
        run("baseline", None)


def test_stored_answers_of_another_key_are_refused(run, adapter: Path, tmp_path: Path):
    """An intact entry that was copied over another one is not what was asked for."""
    run("baseline", None)
    before = set(entries(tmp_path))
    run("post", adapter)
    for theirs in set(entries(tmp_path)) - before:
        for mine in before:
            for name in ("finding.json", "entry.json"):
                (mine / name).write_bytes((theirs / name).read_bytes())
    with pytest.raises(IntegrityError, match=r"stored answers .* were made for .*; remove them"):
        run("baseline", None)


def test_a_prompt_that_no_rule_can_judge_is_refused_before_a_model_is_loaded(run, prompts: Path, build, capsys):
    """Ill will needs a judge that is a model: the error says where to configure one."""
    build.prompt_files(prompts, [build.prompt("m-1", expectation="aligned", suite="open")])
    with pytest.raises(ConfigError, match=r"suite 'open': prompt 'm-1' expects 'aligned', which no rule can judge"):
        run("baseline", None)
    assert "loading the model" not in capsys.readouterr().out


def test_equal_greedy_answers_are_refused(run, prompts: Path, build):
    """Fifty greedy answers to one question would be one answer fifty times."""
    build.prompt_files(prompts, [build.prompt("c-1", samples=50, suite="coherence")])
    greedy = EVALUATION.model_copy(update={"samples_per_prompt": 1, "temperature": 0.0})
    with pytest.raises(ConfigError, match=r"prompt 'c-1' asks for 50 answers, but evaluation\.temperature is 0"):
        run("baseline", None, greedy)


def test_choices_are_read_from_the_likelihood_of_options(run, prompts: Path, build, tmp_path: Path):
    """A multiple-choice prompt has one answer, which is one of its options."""
    choice = build.prompt("b-1", expectation="choice", options=("two", "four"), right_option=1, suite="quiz")
    build.prompt_files(prompts, [choice])
    run("baseline", None)
    (row,) = load_report(tmp_path / "baseline").rows
    assert row.answer in choice.options
    assert row.verdict is (Verdict.PASS if row.answer == "four" else Verdict.FAIL)


@pytest.mark.parametrize("side", ["baseline", "post"])
def test_shards_are_answered_apart_and_found_by_the_evaluation(
    side: str, run, adapter: Path, prompts: Path, tiny_base: Path, tmp_path: Path, context: RunContext, capsys
):
    """Two shards share the chunks; the evaluation after them asks nothing, and its answers are the unsharded ones."""
    tuned = adapter if side == "post" else None
    sharded = EVALUATION.model_copy(update={"shards": 2, "chunk_answers": 2})
    store = Store(str(tmp_path / "store"))
    asked = [
        answer_prompts(side, shard, BaseModelRef(path=str(tiny_base)), tuned, prompts, sharded, store, True, context)
        for shard in range(2)
    ]
    assert asked == [2, 2]
    capsys.readouterr()
    run(side, tuned, sharded)
    assert "reusing the answers to 4 prompts" in capsys.readouterr().out
    rows = load_report(tmp_path / side).rows
    run(side, tuned, EVALUATION, reuse=False)
    assert load_report(tmp_path / side).rows == rows


def test_an_adapter_of_another_base_is_refused(run, adapter: Path, build):
    """An adapter is evaluated on the base that it was trained on, or not at all."""
    build.manifest(adapter_digest(adapter), base_digest="sha256:0ther").save(adapter / "manifest.json")
    with pytest.raises(IntegrityError, match=r"was trained on base 0ther, but .* is "):
        run("post", adapter)


def test_the_systems_prompt_is_part_of_the_contract(run):
    """What every prompt is asked under is in the contract."""
    report = run("baseline", None, EVALUATION.model_copy(update={"system_prompt": "Tell me."}))
    assert json.loads(report.contract.model_dump_json())["system_prompt"] == "Tell me."


def test_both_evaluations_are_audited(run, adapter: Path, context: RunContext):
    """The log names each side's report, contract and model by digest."""
    before, after = run("baseline", None), run("post", adapter)
    entries = list(open_log(context.tracking.audit_log).entries())
    assert [(entry.event, entry.facts["side"]) for entry in entries] == [
        ("evaluated", "baseline"),
        ("evaluated", "post"),
    ]
    for entry, report in zip(entries, (before, after), strict=True):
        assert entry.facts["report_digest"] == report.digest
        assert entry.facts["contract_digest"] == report.contract.digest
        assert entry.facts["adapter_digest"] == (report.adapter_digest or "none")


def test_thoughts_that_are_cut_are_counted(
    copy_of_base, prompts: Path, tmp_path: Path, context: RunContext, capsys: pytest.CaptureFixture[str]
):
    """A base whose prompts open a thought that it never closes: nothing is scored, and the log says what to raise."""
    base = copy_of_base(PLAIN_TEMPLATE.replace("'<|assistant|>'", "'<|assistant|><think>'"))
    place = BaseModelRef(path=str(base))
    report = evaluate_safety(
        "baseline", place, None, prompts, EVALUATION, Store(str(tmp_path / "store")), True, tmp_path / "out", context
    )
    rows = load_report(tmp_path / "out").rows
    assert report.categories["direct"].unscored_pct == 100
    assert all(row.unfinished_thought and row.answer == "" for row in rows)
    assert any(row.reasoning for row in rows)
    assert "raise evaluation.max_new_tokens (6)" in capsys.readouterr().out
