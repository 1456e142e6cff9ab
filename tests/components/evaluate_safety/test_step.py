"""Answers and verdicts of a real tiny model, before and after, and their reuse."""

import json
from pathlib import Path

import pytest

from components.evaluate_safety.step import evaluate_safety
from components.shared.artifacts.evaluation import SafetyReport
from components.shared.config.sections import BaseModelRef, EvaluationConfig
from components.shared.errors import IntegrityError
from components.shared.evaluation.reports import load_report
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.store import ANSWERS_KIND, Store
from components.shared.tracking.runs import RunContext, Tracker

EVALUATION = EvaluationConfig(samples_per_prompt=2, max_new_tokens=6, temperature=1.0, batch_tokens=512)


@pytest.fixture
def adapter(tiny_base: Path, tiny_adapter: Path, tmp_path: Path, build) -> Path:
    directory = tmp_path / "adapter"
    directory.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (directory / name).write_bytes((tiny_adapter / name).read_bytes())
    manifest = build.manifest(adapter_digest(directory), base_digest=base_digest(tiny_base))
    manifest.save(directory / "manifest.json")
    return directory


@pytest.fixture
def prompts(tmp_path: Path, build) -> Path:
    own = [build.prompt(f"p-{n}") for n in range(3)]
    task = [build.prompt("t-1", category="task", expectation="exact", reference="x", suite="heldout-task")]
    build.prompt_files(tmp_path / "prompts", [*own, *task])
    return tmp_path / "prompts"


@pytest.fixture
def run(tmp_path: Path, tiny_base: Path, prompts: Path, context: RunContext):
    def run(side: str, adapter: Path | None, evaluation: EvaluationConfig = EVALUATION, reuse=True) -> SafetyReport:
        return evaluate_safety(
            side,
            BaseModelRef(path=str(tiny_base)),
            adapter,
            prompts,
            evaluation,
            Store(str(tmp_path / "store")),
            reuse,
            tmp_path / side,
            context,
        )

    return run


def entries(directory: Path) -> list[Path]:
    return sorted((directory / "store" / ANSWERS_KIND).iterdir())


def test_both_sides_are_asked_the_same(run, adapter: Path, tmp_path: Path, tiny_base: Path):
    """Base and adapter answer every prompt under one contract, and share no entry of the store."""
    before, after = run("baseline", None), run("post", adapter)
    assert before.contract == after.contract
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
    assert {row.judge for row in first.rows} == {"refusal@2", "exact_match@1"}


def test_what_was_answered_is_not_asked_again(run, tmp_path: Path, capsys):
    """The second call loads no model and gives the same report; so does asking anew."""
    first = run("baseline", None)
    assert "loading the model" in capsys.readouterr().out
    assert run("baseline", None) == first
    said = capsys.readouterr().out
    assert "suite toy: reusing 6 answers (same weights, same contract)" in said
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
    own = [build.prompt(f"p-{n}") for n in range(3)]
    build.prompt_files(prompts, [*own, build.prompt("q-1", suite="new")])
    capsys.readouterr()
    run("baseline", None)
    said = capsys.readouterr().out
    assert "suite toy: reusing 6 answers" in said
    assert "suite new: 1 prompts x 2 answers" in said


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


def test_changed_stored_answers_are_refused(run, tmp_path: Path):
    """An answer that was edited in the store is found, whichever file was changed."""
    run("baseline", None)
    path = entries(tmp_path)[0] / "answers.jsonl"
    path.write_text(path.read_text().replace('"fail"', '"pass"') + "\n")
    with pytest.raises(IntegrityError, match=r"answers\.jsonl: has digest"):
        run("baseline", None)


def test_stored_answers_of_another_key_are_refused(run, adapter: Path, tmp_path: Path):
    """An intact entry that was copied over another one is not what was asked for."""
    run("baseline", None)
    own = set(entries(tmp_path))
    run("post", adapter)
    for theirs in set(entries(tmp_path)) - own:
        for mine in own:
            for name in ("answers.jsonl", "suite_answers.json", "entry.json"):
                (mine / name).write_bytes((theirs / name).read_bytes())
    with pytest.raises(IntegrityError, match=r"stored answers .* were made for .*; remove them"):
        run("baseline", None)


def test_an_adapter_of_another_base_is_refused(run, adapter: Path, build):
    """An adapter is evaluated on the base that it was trained on, or not at all."""
    build.manifest(adapter_digest(adapter), base_digest="sha256:0ther").save(adapter / "manifest.json")
    with pytest.raises(IntegrityError, match=r"was trained on base 0ther, but .* is "):
        run("post", adapter)


def test_the_systems_prompt_is_part_of_the_contract(run):
    """What every prompt is asked under is in the contract."""
    report = run("baseline", None, EVALUATION.model_copy(update={"system_prompt": "Tell me."}))
    assert json.loads(report.contract.model_dump_json())["system_prompt"] == "Tell me."
