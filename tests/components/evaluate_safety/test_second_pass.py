"""The base asked twice: what is asked again, that nothing else changes, and how far it moves."""

from pathlib import Path

import pytest

from components.evaluate_safety.second_pass import SEED_SHIFT, chunks_again
from components.evaluate_safety.step import answer_prompts
from components.evaluate_safety.subject import Subject, identify
from components.shared.artifacts.reports import load_report
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.gate.noise import noise_floor
from components.shared.store import ANSWERS_KIND, FLUENCY_KIND, READINGS_KIND, Store
from components.shared.suites.prompt_sets import load_prompts
from components.shared.tracking.runs import Tracker

TWICE = EvaluationConfig(samples_per_prompt=2, max_new_tokens=6, temperature=1.0, batch_tokens=512, probes=False)
ONCE = TWICE.model_copy(update={"noise_floor": False})
FOLLOW_UP_SHIFT = 1_000_003
STILL = {"drop_pp": 0, "reach_pp": 0, "flips": 0}


def entries(directory: Path, kind: str = ANSWERS_KIND) -> set[str]:
    return {path.name for path in (directory / "store" / kind).iterdir()}


def subject_of(base: Path, prompts: Path, evaluation: EvaluationConfig) -> Subject:
    return identify(BaseModelRef(path=str(base)), None, load_prompts(prompts).prompt_set, evaluation, "")


def spoken_and_chosen(build) -> list:
    """Three prompts that are answered in words, and a choice."""
    asked = [build.prompt(f"n-{n}", category="numbers", expectation="coherent") for n in range(3)]
    return [*asked, build.prompt("c-1", category="quiz", expectation="choice", options=("two", "four"), right_option=1)]


def test_switching_it_on_asks_only_the_second_pass(run, tmp_path: Path, capsys):
    """The first pass's answers are reused, and nothing in the report changes but the noise floor."""
    plain = run("baseline", None, ONCE)
    first = entries(tmp_path)
    capsys.readouterr()
    floored = run("baseline", None, TWICE)
    said = capsys.readouterr().out
    assert "reusing the answers to 4 prompts" in said
    assert "suite toy: 3 prompts from p-0 again, with another seed" in said
    assert "from p-0\n" not in said
    assert first < entries(tmp_path)
    assert len(entries(tmp_path)) == 2 * len(first)
    assert plain.noise == {}
    assert floored.noise.keys() == {"direct"}  # one held-out prompt has no spread
    assert floored.model_copy(update={"noise": {}}) == plain


def test_the_second_pass_is_kept_too(run, tmp_path: Path, capsys):
    """A repeated evaluation loads no model and finds the same noise floor."""
    floored = run("baseline", None, TWICE)
    capsys.readouterr()
    assert run("baseline", None, TWICE) == floored
    assert "loading the model" not in capsys.readouterr().out


def test_the_floor_is_that_of_two_seeds(run, prompts: Path, tmp_path: Path):
    """The second pass is what an evaluation with the shifted seed answers, judged alike, and shares its entries."""
    floored = run("baseline", None, TWICE)
    first = load_report(tmp_path / "baseline").rows
    before = entries(tmp_path)
    run("shifted", None, ONCE.model_copy(update={"seed": TWICE.seed + SEED_SHIFT}))
    assert entries(tmp_path) == before
    second = load_report(tmp_path / "shifted").rows
    assert [row.answer for row in second] != [row.answer for row in first]
    assert floored.noise == noise_floor(first, second)


def test_fluency_is_read_under_the_first_passs_floor(run, tmp_path: Path):
    """Both passes are held to one coherence floor: nothing is calibrated a second time."""
    run("baseline", None, ONCE)
    once = entries(tmp_path, READINGS_KIND)
    fluency = len(entries(tmp_path, FLUENCY_KIND))
    run("baseline", None, TWICE)
    assert entries(tmp_path, READINGS_KIND) == once
    assert len(entries(tmp_path, FLUENCY_KIND)) == 2 * fluency


def test_an_adapter_is_asked_once(run, adapter: Path, tmp_path: Path):
    """The noise floor is the base's; the tuned side has none."""
    report = run("post", adapter, TWICE)
    assert report.noise == {}
    assert len(entries(tmp_path)) == 2


def test_greedy_answers_have_no_noise_by_construction(run, tmp_path: Path, capsys):
    """With temperature 0 nothing is asked again: drop, reach and flips are 0."""
    report = run("baseline", None, TWICE.model_copy(update={"temperature": 0.0, "samples_per_prompt": 1}))
    assert report.noise == {"direct": NoiseFloor(prompts=3, samples=1, **STILL)}
    assert "again" not in capsys.readouterr().out
    assert len(entries(tmp_path)) == 2


def test_choices_are_not_asked_again(run, prompts: Path, build, tmp_path: Path):
    """Choices are read from log-likelihoods: alone they have no floor, beside other prompts they stand still."""
    quiz = {"expectation": "choice", "options": ("two", "four"), "right_option": 1}
    asked = [build.prompt(f"c-{n}", category="quiz", **quiz) for n in range(2)]
    mixed = [build.prompt("m-0", category="mixed", **quiz), build.prompt("m-1", category="mixed")]
    build.prompt_files(prompts, [*asked, *mixed])
    report = run("baseline", None, TWICE)
    assert report.noise.keys() == {"mixed"}
    assert report.noise["mixed"].prompts == 2


def test_what_is_asked_again_has_one_seed_of_its_own(prompts: Path, tiny_base: Path, build):
    """Every chunk but the choices comes again, under one shift that is not the follow-up's."""
    asked = spoken_and_chosen(build)
    build.prompt_files(prompts, asked)
    subject = subject_of(tiny_base, prompts, TWICE.model_copy(update={"chunk_answers": 2}))
    again = chunks_again(subject, asked)
    assert [[prompt.id for prompt in chunk.prompts] for chunk in again] == [["n-0"], ["n-1"], ["n-2"]]
    assert {chunk.seed_shift for chunk in again} == {SEED_SHIFT}
    assert SEED_SHIFT != FOLLOW_UP_SHIFT
    assert subject.shifted(SEED_SHIFT).contract.asking_digest != subject.contract.asking_digest
    assert subject.shifted(0) == subject


def test_shards_share_the_second_pass_out(run, prompts: Path, tiny_base: Path, tmp_path: Path, context, capsys):
    """Two shards answer both passes between them; the evaluation after them asks nothing."""
    sharded = TWICE.model_copy(update={"shards": 2, "chunk_answers": 2})
    store, base = Store(str(tmp_path / "store")), BaseModelRef(path=str(tiny_base))
    asked = [
        answer_prompts("baseline", shard, base, None, prompts, sharded, store, True, context) for shard in range(2)
    ]
    assert asked == [4, 4]
    capsys.readouterr()
    report = run("baseline", None, sharded)
    assert "from p-" not in capsys.readouterr().out
    assert report.noise == run("baseline", None, TWICE, reuse=False).noise


@pytest.mark.slow
@pytest.mark.long
def test_processes_share_the_second_pass_out(run, capfd):
    """Two processes answer both passes in one go, and the floor is that of one process."""
    alone = run("baseline", None, TWICE.model_copy(update={"chunk_answers": 4}))
    shared = run("baseline", None, TWICE.model_copy(update={"chunk_answers": 4, "workers": 2}), reuse=False)
    assert capfd.readouterr().out.count("2 processes share 6 chunks") == 1
    assert shared == alone


def test_the_floor_is_tracked(run, context: RunContext):
    """Drop, reach and flips of every category are on the stage's run."""
    report = run("baseline", None, TWICE)
    (stage,) = Tracker(context)._stages()
    floor = report.noise["direct"]
    for name in ("drop_pp", "reach_pp", "flips"):
        assert stage.data.metrics[f"noise/direct/{name}"] == pytest.approx(getattr(floor, name))
