"""What docs/evaluation.md says of suites, benchmarks, judges, metrics, commands and settings is so."""

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import pytest
import typer
import yaml

from components.shared.artifacts.decision import Decision
from components.shared.artifacts.judge_check import Score, Share
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.judges import JUDGE_KINDS
from components.shared.config.policy import Policy
from components.shared.config.reading import validate
from components.shared.config.sections import PipelineConfig
from components.shared.data.chats import Chat
from components.shared.judges.constraints.kinds import KINDS
from components.shared.judges.judge import label
from components.shared.judges.panel import rule_panel
from components.shared.judges.refusal import REFUSAL
from components.shared.metrics.catalogue import CATALOGUE
from components.shared.metrics.grouping import ALL
from components.shared.statistics.planning import spread_of_unchanged
from components.shared.suites.benchmarks.benchmark_section import BenchmarkSection
from components.shared.suites.benchmarks.published import BENCHMARKS
from components.shared.suites.suite_files import SuiteFile, load_suite
from components.shared.vocabulary import MUST_BE_LANGUAGE, RARE_CATEGORY, TASK_CATEGORY, Expectation, Verdict
from pipelines.cli import app
from pipelines.judging.comparing import compare, exchanges, run_judge
from pipelines.judging.labelled import read_labelled, read_verdicts
from pipelines.suites.resolution import WAVERING, plan
from pipelines.suites.sealing import seal

ROOT = Path(__file__).parents[2]
XSTEST = Path(os.environ.get("PLIMSOLL_BENCHMARKS", ROOT.parent / "shared" / "data")) / "xstest" / "model_completions"

SUITES_HEAD = ("suite", "category", "prompts", "expects", "what it measures", "limits")
PLAN_HEAD = ("limit", "nothing wavers", "80 % chance, if an unchanged model wavers by 12.1 pp per prompt")
EXPECTATIONS_HEAD = ("expectation", "an acceptable answer", "the prompt must have", "judge")
BENCHMARKS_HEAD = ("benchmark", "title", "licence", "access", "expects", "what it measures, and what that does not say")
ENGINES_HEAD = ("engine", "what it does", "limits")
RULES_HEAD = ("judge", "version", "reads", "pass / partial / fail", "known errors")
MODELS_HEAD = ("kind", "example", "reads", "pass / partial / fail", "known errors")
METRICS_HEAD = ("metric", "unit", "worse", "over", "definition", "limits")
FIGURES_HEAD = ("labels", "accuracy, 3 classes", "macro-F1", "F1 of refusals", "kappa", "partial refusals found")

LABELLED = ("xstest_v2_completions_gpt4.csv", "xstest_v2_completions_llama2orig.csv")
LABELS = {"1_full_compliance": Verdict.FAIL, "2_full_refusal": Verdict.PASS, "3_partial_refusal": Verdict.PARTIAL}
LONGEST = 400


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "evaluation.md").read_text()


def cells(line: str) -> tuple[str, ...]:
    """The cells of a table's row; a bar inside a cell is escaped."""
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return tuple(part.strip().replace("\\|", "|") for part in parts)


def table(page: str, head: Sequence[str]) -> list[tuple[str, ...]]:
    """The rows of the table with this head."""
    lines = page.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("|") and cells(line) == tuple(head)), None)
    assert start is not None, f"there is no table with the head {head}"
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(cells(line))
    return rows


def code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def spans(text: str) -> list[str]:
    """Everything between backticks in prose and tables."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)


def test_the_page_is_short_enough_to_be_read(page: str):
    """No longer than the house's longest file."""
    assert len(page.splitlines()) <= LONGEST


def test_every_benchmark_is_listed_with_its_licence_and_access(page: str):
    """The table is the registry, row for row."""
    expected = [
        (f"`{name}`", own.title, own.licence, own.gating, code([own.expectation] if own.expectation else []))
        for name, own in BENCHMARKS.items()
    ]
    found = table(page, BENCHMARKS_HEAD)
    assert [row[:5] for row in found] == expected
    assert [row[5] for row in found] == [own.measures for own in BENCHMARKS.values()]


def test_every_benchmark_has_the_suite_that_the_page_promises():
    """`configs/suites/benchmarks` holds one suite for each format, under its name."""
    files = sorted((ROOT / "configs" / "suites" / "benchmarks").glob("*.yaml"))
    content = [yaml.safe_load(path.read_text()) for path in files]
    assert sorted(BENCHMARKS) == [own["name"] for own in content] == [own["benchmark"]["format"] for own in content]


def test_every_metric_is_listed_with_unit_direction_and_limits(page: str):
    """The table is the catalogue, row for row."""
    expected = [
        (f"`{own.name}`", own.unit, own.worse, own.counts, own.meaning, own.limits) for own in CATALOGUE.values()
    ]
    assert table(page, METRICS_HEAD) == expected


def test_every_own_suite_is_listed_with_its_categories_and_sizes(page: str):
    """Prompts and expectations are counted; a row may be about several categories of a suite."""
    counted: defaultdict[tuple[str, str], list[SuitePrompt]] = defaultdict(list)
    for path in sorted((ROOT / "configs" / "suites").glob("*.yaml")):
        for prompt in load_suite(str(path)).prompts:
            counted[f"`{prompt.suite}`", prompt.category].append(prompt)
    listed = []
    for suite, categories, size, expects, *_ in table(page, SUITES_HEAD):
        names = re.findall(r"`(\w+)`", categories)
        listed += [(suite, name) for name in names]
        prompts = [prompt for name in names for prompt in counted.get((suite, name), [])]
        assert (size, expects) == (f"{len(prompts):,}", code(sorted({prompt.expectation for prompt in prompts})))
    assert sorted(listed) == sorted(counted)


def test_every_rule_judge_is_listed_with_its_version_and_what_it_reads(page: str):
    """A judge that changes its version has its row looked at again."""
    panel = rule_panel()
    odd = [expectation for expectation in Expectation if expectation not in MUST_BE_LANGUAGE]
    rows = {(panel.coherence.name, panel.coherence.version, f"all but {code(sorted(odd))}")}
    rows |= {
        (judge.name, judge.version, code(sorted(own for own, other in panel.verdicts.items() if other is judge)))
        for judge in panel.verdicts.values()
    }
    found = {
        (name.strip("`"), version, f"{'all but ' if 'all but' in reads else ''}{code(sorted(spans(reads)))}")
        for name, version, reads, *_ in table(page, RULES_HEAD)
    }
    assert found == rows


def test_every_kind_of_model_judge_is_listed_with_its_examples(page: str):
    """Each kind has at least one shipped file, and each shipped file is named under its kind."""
    expected: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "configs" / "judges").glob("*.yaml")):
        expected[yaml.safe_load(path.read_text())["kind"]].append(path.relative_to(ROOT).as_posix())
    found = {row[0].strip("`"): sorted(spans(row[1])) for row in table(page, MODELS_HEAD)}
    assert found == {kind: expected[kind] for kind in JUDGE_KINDS}


def test_every_expectation_is_listed_with_its_judge(page: str):
    """What a prompt may expect, and who then reads the answer."""
    panel = rule_panel()
    readers = {own: f"`{judge.name}`" for own, judge in panel.verdicts.items()}
    readers |= {Expectation.COHERENT: f"`{panel.coherence.name}`", Expectation.ALIGNED: "a model judge"}
    found = {row[0]: row[3] for row in table(page, EXPECTATIONS_HEAD)}
    assert found == {f"`{own}`": readers[own] for own in Expectation}


def test_every_engine_is_listed(page: str):
    """The modes are those of the setting."""
    modes = get_args(EvaluationConfig.model_fields["engine"].annotation)
    assert [row[0] for row in table(page, ENGINES_HEAD)] == [f"`{mode}`" for mode in modes]


def test_our_own_instructions_are_listed(page: str):
    """Six kinds of our own, and twenty-five of IFEval."""
    own = {kind for kind in KINDS if kind.startswith("plimsoll:")}
    assert {span for span in spans(page) if span.startswith("plimsoll:")} == own
    assert (len(own), len(KINDS) - len(own)) == (6, 25)


def test_the_sizes_that_limits_take_are_those_of_the_planner(page: str):
    """The table is `plimsoll suites plan` with its defaults."""
    spread = spread_of_unchanged(WAVERING, 5)
    plans = [plan(margin, spread, 0.95, 0.8) for margin in (1.0, 2.0, 3.0, 5.0, 10.0)]
    assert f"{spread:.1f}" == "12.1"
    assert table(page, PLAN_HEAD) == [(f"{own.margin_pp:g} pp", f"{own.least:,}", f"{own.likely:,}") for own in plans]


def commands(page: str) -> Iterator[list[str]]:
    """Every command that the page names, as words."""
    lines = [line for block in blocks(page, "text") for line in block.replace("\\\n", " ").splitlines()]
    for text in (*spans(page), *lines):
        if text.startswith("plimsoll "):
            yield shlex.split(text)[1:]


def test_every_command_exists_with_its_options(page: str):
    """Commands are looked up in the command line's own tree; all commands about suites and judges are named."""
    named = set()
    for words in commands(page):
        place = typer.main.get_command(app)
        path = []
        while path != words and (below := getattr(place, "commands", None)):
            place = below.get(words[len(path)])
            path = words[: len(path) + 1]
            assert place is not None, f"there is no command {' '.join(path)!r}"
        named.add(tuple(path))
        known = {name for parameter in place.params for name in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in known] == []
    assert {("run",), ("config", "schema")} <= named
    assert {("suites", name) for name in ("list", "plan", "seal", "benchmarks")} | {("judge", "check")} <= named


def test_every_setting_exists(page: str):
    """`evaluation.…`, `data.…` and `benchmark.…` are fields of a config or of a suite."""
    sections = {
        "evaluation": EvaluationConfig,
        "data": PipelineConfig.model_fields["data"].annotation,
        "benchmark": BenchmarkSection,
    }
    found = [span.split(".") for span in spans(page) if re.fullmatch(r"(?:evaluation|data|benchmark)\.\w+", span)]
    assert found
    assert [(section, name) for section, name in found if name not in sections[section].model_fields] == []


def test_every_file_exists(page: str):
    """Paths below the project's folders, but for the suite that a reader is told to write."""
    paths = {span for text in spans(page) for span in text.split() if re.match(r"(?:configs|docs|tests)/", span)}
    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == {"configs/suites/support-desk.yaml"}


def test_no_name_is_made_up(page: str):
    """A single word in code font is the name of something: entry, field, verdict, step or setting."""
    steps = {path.parent.name for path in (ROOT / "components").glob("*/component.py")}
    fields = {
        name
        for section in (SuitePrompt, Policy, SuiteFile, *JUDGE_KINDS.values())
        for name in (*section.model_fields, *(word for own in section.model_fields.values() for word in _words(own)))
    }
    panel = rule_panel()
    suites = [load_suite(str(path)) for path in (ROOT / "configs" / "suites").glob("*.yaml")]
    known = {
        *BENCHMARKS,
        *CATALOGUE,
        *JUDGE_KINDS,
        *steps,
        *fields,
        *map(str, (*Expectation, *Verdict, *Decision)),
        *(judge.name for judge in (panel.coherence, *panel.verdicts.values())),
        *(name for suite in suites for name in (suite.name, *suite.categories)),
        *(word for own in EvaluationConfig.model_fields.values() for word in _words(own)),
        *Chat._fields,
        ALL,
        TASK_CATEGORY,
        RARE_CATEGORY,
    }
    named = {span for span in spans(page) if re.fullmatch(r"[a-z][a-z0-9_-]*(?:[/@][a-z0-9_/{}:@-]+)?", span)}
    paths = {span for span in named if span.startswith(("configs/", "docs/", "tests/"))}
    assert sorted(named - paths - known) == []


def _words(field) -> tuple[str, ...]:
    """The values of a field that has few."""
    return tuple(word for word in get_args(field.annotation) if isinstance(word, str))


def test_the_suite_that_one_writes_oneself_can_be_sealed_and_used(page: str, tmp_path: Path):
    """The page's YAML and row are a suite, once they are sealed."""
    written, _ = blocks(page, "yaml")
    (row,) = blocks(page, "json")
    (tmp_path / "support-desk.jsonl").write_text(row)
    path = tmp_path / "support-desk.yaml"
    path.write_text(written)
    assert seal(path).changed
    assert load_suite(str(path)).categories == {"direct": 1}


def test_the_example_of_a_benchmark_is_a_suite(page: str):
    """Its fields and values are accepted."""
    _, example = blocks(page, "yaml")
    file = validate(yaml.safe_load(example), SuiteFile, "the page", example)
    assert file.benchmark is not None
    assert (file.benchmark.format, file.benchmark.sample) == ("harmbench", 100)


def test_the_development_figures_are_those_of_this_version(page: str):
    """The heading names the refusal judge as it is."""
    assert re.findall(r"Development figures of `(\w+)` (\w+)", page) == [(REFUSAL.name, REFUSAL.version)]


@pytest.mark.parametrize("name", LABELLED)
def test_the_development_figures_are_measured(page: str, name: str):
    """Each row is what `plimsoll judge check` finds; skipped where the labelled file is absent."""
    if not (XSTEST / name).is_file():
        pytest.skip(f"{name} is not in {XSTEST}; set PLIMSOLL_BENCHMARKS to the benchmarks' folder")
    assert figures_row(name) in table(page, FIGURES_HEAD)


def figures_row(name: str) -> tuple[str, ...]:
    """What the page says of one labelled file."""
    columns = {"prompt": "prompt", "answer": "completion", "label": "final_label"}
    file = read_labelled(str(XSTEST / name), columns)
    expected = read_verdicts(file, LABELS)
    judgements = run_judge(REFUSAL, exchanges(file, Expectation.REFUSE), print)
    check = compare(REFUSAL, file, expected, judgements)
    assert (check.judge, check.answers) == (label(REFUSAL), 450)
    found = check.classes[Verdict.PARTIAL].recall
    return (
        f"`{name}`",
        _with_interval(check.accuracy),
        _with_interval(check.macro_f1),
        _with_interval(check.classes[Verdict.PASS].f1),
        f"{check.kappa.value:.2f}",
        f"{found.count} of {found.of}",
    )


def _with_interval(figure: Share | Score) -> str:
    assert figure.value is not None
    assert figure.lower is not None
    assert figure.upper is not None
    return f"{100 * figure.value:.1f} % ({100 * figure.lower:.1f} to {100 * figure.upper:.1f})"
