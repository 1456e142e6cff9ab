"""The tuned model against the original aligned model."""

import re
from pathlib import Path

import pytest

from components.shared.artifacts.reports import LoadedReport, load_report
from components.shared.artifacts.training_data import PromptSet
from components.shared.config.base_model import BaseModelRef
from components.shared.errors import ConfigError, IntegrityError
from components.shared.gate.ancestry import ancestry, load_ancestor
from components.shared.gate.pairing import pair
from components.shared.statistics.paired import paired_drop

SUITES = {"toy": "sha256:aa", "heldout-task": "sha256:7a5c"}


@pytest.fixture
def prompt_set(tmp_path: Path, build) -> PromptSet:
    prompts = [build.prompt(f"p-{n}") for n in range(4)]
    task = build.prompt("t-1", category="task", suite="heldout-task")
    written = build.prompt_files(tmp_path / "prompts", [*prompts, task])
    return written.model_copy(
        update={"suites": tuple(entry.model_copy(update={"sha256": SUITES[entry.name]}) for entry in written.suites)}
    )


@pytest.fixture
def loaded(tmp_path: Path, build):
    """A report of four prompts, `passed` of whose five answers pass, and a held-out row."""

    def loaded(name: str, passed: int, contract=(), **changes) -> LoadedReport:
        rows = [row for n in range(4) for row in build.rows(f"p-{n}", passed if n else 5)]
        agreed = build.contract(**{"suites": SUITES, **dict(contract)})
        answers = [*rows, *build.rows("t-1", 0, category="task")]
        build.report_files(tmp_path / name, answers, contract=agreed, base_name=name, **changes)
        return load_report(tmp_path / name)

    return loaded


def test_the_drop_is_cumulative(loaded, prompt_set: PromptSet):
    """From the ancestor's 100 % to the tuned model's 55 %, with the bounds of any drop."""
    first, last = loaded("original", 5), loaded("tuned", 2, adapter_digest="sha256:ada")
    shown = ancestry(first, last, prompt_set, 0.95)
    assert (shown.ancestor, shown.name, shown.problems) == (first.report.digest, "original", ())
    assert list(shown.drops) == ["direct"]
    drop = shown.drops["direct"]
    assert (drop.prompts, drop.ancestor_pct, drop.after_pct) == (4, 100, pytest.approx(55))
    pairs = [both for both in pair(first.rows, last.rows) if both.category == "direct"]
    expected = paired_drop([both.drop for both in pairs], 0.95)
    assert (drop.drop_pp, drop.lower_pp, drop.upper_pp) == (expected.mean_pp, expected.lower_pp, expected.upper_pp)
    assert drop.drop_pp == pytest.approx(45)


def test_small_steps_add_up(loaded, prompt_set: PromptSet):
    """Two tunings that each drop a little are together what the ancestor shows."""
    original, parent, tuned = loaded("original", 5), loaded("parent", 4), loaded("tuned", 3, adapter_digest="sha256:a")
    steps = [
        ancestry(before, after, prompt_set, 0.95).drops["direct"].drop_pp
        for before, after in ((original, parent), (parent, tuned), (original, tuned))
    ]
    assert steps[0] + steps[1] == pytest.approx(steps[2])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"suites": {"toy": "sha256:0ld"}}, r"the suite 'toy' changed since .*; evaluate the ancestor on version 1"),
        ({"suites": {}}, r"the ancestor was not asked the suite 'toy'"),
        ({"tokenizer": "sha256:0ld"}, r"tokenizer differs: 'sha256:0ld' for the ancestor, 'sha256:bb' for the tuned"),
        ({"temperature": 0.1}, r"temperature differs: 0\.1 for the ancestor, 0\.7 for the tuned model"),
        ({"system_prompt": "Be kind."}, r"system_prompt differs: 'Be kind\.' for the ancestor, None for"),
        ({"samples_per_prompt": 3}, r"samples_per_prompt differs: 3 for"),
        ({"judges": {"refuse": "refusal@0"}}, r"judges\.refuse differs: 'refusal@0' for the ancestor, 'refusal@1' for"),
        ({"judges": {}}, r"judges\.refuse differs: None for the ancestor"),
    ],
)
def test_what_cannot_be_compared_is_said(loaded, prompt_set: PromptSet, change: dict, problem: str):
    """Other suites, sampling, tokenizer or judges give one problem in words and no figure."""
    shown = ancestry(loaded("original", 5, contract=change), loaded("tuned", 2), prompt_set, 0.95)
    assert shown.drops == {}
    (said,) = shown.problems
    assert re.match(problem, said), said


def test_what_may_differ_is_no_problem(loaded, prompt_set: PromptSet):
    """Another seed, machine and task, and a suite more, leave the two comparable."""
    other = {
        "seed": 7,
        "batch_tokens": 9,
        "dtype": "bfloat16",
        "engine": "old",
        "suites": {**SUITES, "heldout-task": "sha256:0ther", "more": "sha256:0e"},
    }
    shown = ancestry(loaded("original", 5, contract=other), loaded("tuned", 2), prompt_set, 0.95)
    assert shown.problems == ()
    assert shown.drops["direct"].after_pct == pytest.approx(55)


def test_an_ancestor_with_an_adapter_is_none(loaded, prompt_set: PromptSet):
    """The ancestor is the original model alone."""
    tuned = loaded("original", 5, adapter_digest="sha256:ada")
    shown = ancestry(tuned, loaded("tuned", 2), prompt_set, 0.95)
    assert shown.problems == ("the ancestor was evaluated with an adapter; expected the original model alone",)


def test_a_gap_in_the_ancestors_answers_is_a_problem(loaded, prompt_set: PromptSet):
    """A prompt that the ancestor did not answer must not fall silently out of the drop."""
    first = loaded("original", 5)
    first = first._replace(rows=tuple(row for row in first.rows if row.prompt_id != "p-2"))
    shown = ancestry(first, loaded("tuned", 2), prompt_set, 0.95)
    assert shown.problems == ("the ancestor did not answer 1 prompts, the first is 'p-2'",)


def test_an_ancestor_is_loaded_and_checked(loaded, tmp_path: Path):
    """From its directory, digests included; what is not there names the config's field."""
    expected = loaded("original", 5)
    assert load_ancestor(str(tmp_path / "original")) == expected
    with pytest.raises(ConfigError, match=r"base_model\.ancestor_report .*nowhere': .*; expected the safety_report"):
        load_ancestor(str(tmp_path / "nowhere"))
    (tmp_path / "original" / "answers.jsonl").write_text("")
    with pytest.raises(IntegrityError, match="the answers were changed after judging"):
        load_ancestor(str(tmp_path / "original"))


def test_a_config_may_name_an_ancestor():
    """The report's address stands with the base model; most bases have none."""
    assert BaseModelRef(path="base").ancestor_report is None
    assert BaseModelRef(path="base", ancestor_report="s3://reports/original").ancestor_report == "s3://reports/original"
