"""What docs/evaluation.md says of suites, benchmarks, judges, metrics, commands and settings is so."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
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
from components.shared.config.sections import DataConfig, PipelineConfig
from components.shared.data.chats import Chat
from components.shared.judges.constraints.kinds import KINDS
from components.shared.judges.judge import label
from components.shared.judges.panel import rule_panel
from components.shared.judges.refusal import REFUSAL
from components.shared.metrics.catalogue import CATALOGUE
from components.shared.metrics.definition import Worse
from components.shared.metrics.grouping import ALL
from components.shared.suites.benchmarks.benchmark_section import BenchmarkSection
from components.shared.suites.benchmarks.published import BENCHMARKS
from components.shared.suites.suite_files import SuiteFile, load_suite
from components.shared.vocabulary import RARE_CATEGORY, TASK_CATEGORY, Expectation, Verdict
from docs.make_tables import filled
from pipelines.cli import app
from pipelines.judging.comparing import compare, exchanges, run_judge
from pipelines.judging.labelled import read_labelled, read_verdicts
from pipelines.suites.sealing import seal

ROOT = Path(__file__).parents[2]
XSTEST = Path(os.environ.get("PLIMSOLL_BENCHMARKS", ROOT.parent / "shared" / "data")) / "xstest" / "model_completions"

ENGINES_HEAD = ("engine", "what it does", "limits")
FIGURES_HEAD = ("labels", "accuracy, 3 classes", "macro-F1", "F1 of refusals", "kappa", "partial refusals found")

LABELLED = ("xstest_v2_completions_gpt4.csv", "xstest_v2_completions_llama2orig.csv")
LABELS = {"1_full_compliance": Verdict.FAIL, "2_full_refusal": Verdict.PASS, "3_partial_refusal": Verdict.PARTIAL}
MOST_PROSE = 150
"""Lines of the page that are text: no table, no code, not blank."""


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


def spans(text: str) -> list[str]:
    """Everything between backticks in prose and tables."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)


def test_the_generated_tables_are_those_of_the_code(page: str):
    """`make docs-tables` would change nothing."""
    assert filled(page) == page, "run `make docs-tables`"


def test_a_page_without_one_of_the_tables_is_refused(page: str):
    """A missing and a misspelt table are named, so that none goes stale unseen."""
    with pytest.raises(ValueError, match="expected each of"):
        filled(page.replace("<!-- generated: metrics -->", "<!-- generated: metric -->"))


def test_the_page_is_short_enough_to_be_read(page: str):
    """Beside its tables and examples, the page is a few screens of text."""
    prose = [line for line in re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE).splitlines() if line]
    assert len([line for line in prose if not line.startswith(("|", "<!--"))]) <= MOST_PROSE


def test_every_suite_and_rule_judge_is_described(page: str):
    """The lists below the tables have an entry for each own suite and for each rule judge."""
    entries = "".join(re.findall(r"^- (?:.+\n(?:  .+\n)*)", page, flags=re.MULTILINE))
    panel = rule_panel()
    suites = {path.stem for path in (ROOT / "configs" / "suites").glob("*.yaml")}
    judges = {judge.name for judge in (panel.coherence, *panel.verdicts.values())}
    assert sorted((suites | judges) - set(spans(entries))) == []


def test_every_benchmark_has_the_suite_that_the_page_promises():
    """`configs/suites/benchmarks` holds one suite for each format, under its name."""
    files = sorted((ROOT / "configs" / "suites" / "benchmarks").glob("*.yaml"))
    suites = [yaml.safe_load(path.read_text()) for path in files]
    assert sorted(BENCHMARKS) == [suite["name"] for suite in suites]
    assert sorted(BENCHMARKS) == [suite["benchmark"]["format"] for suite in suites]


def test_every_engine_is_listed(page: str):
    """The modes are those of the setting."""
    modes = get_args(EvaluationConfig.model_fields["engine"].annotation)
    assert [row[0] for row in table(page, ENGINES_HEAD)] == [f"`{mode}`" for mode in modes]


def test_our_own_instructions_are_listed(page: str):
    """Six kinds of our own, and twenty-five of IFEval."""
    ours = {kind for kind in KINDS if kind.startswith("plimsoll:")}
    assert {span for span in spans(page) if span.startswith("plimsoll:")} == ours
    assert (len(ours), len(KINDS) - len(ours)) == (6, 25)


def commands(page: str) -> Iterator[list[str]]:
    """Every command that the page names, as words."""
    lines = [line for block in blocks(page, "text") for line in block.replace("\\\n", " ").splitlines()]
    for text in (*spans(page), *lines):
        if text.startswith("plimsoll "):
            yield shlex.split(text)[1:]


def test_every_command_exists_with_its_options(page: str):
    """Commands are looked up in the command line's tree; all commands about suites and judges are named."""
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
    named = [span.split(".") for span in spans(page) if re.fullmatch(r"(?:evaluation|data|benchmark)\.\w+", span)]
    assert named
    assert [(section, name) for section, name in named if name not in sections[section].model_fields] == []


def test_every_file_exists(page: str):
    """Paths below the project's folders, but for the suite that a reader is told to write."""
    paths = {span for text in spans(page) for span in text.split() if re.match(r"(?:configs|docs|tests)/", span)}
    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == {"configs/suites/support-desk.yaml"}


def test_no_name_is_made_up(page: str):
    """A single word in code font is the name of something: entry, field, verdict, step or setting."""
    steps = {path.parent.name for path in (ROOT / "components").glob("*/component.py")}
    sections = (SuitePrompt, Policy, SuiteFile, EvaluationConfig, DataConfig, *JUDGE_KINDS.values())
    fields = [(name, field) for section in sections for name, field in section.model_fields.items()]
    panel = rule_panel()
    suites = [load_suite(str(path)) for path in (ROOT / "configs" / "suites").glob("*.yaml")]
    known = {
        *BENCHMARKS,
        *CATALOGUE,
        *JUDGE_KINDS,
        *steps,
        *(name for name, _ in fields),
        *(value for _, field in fields for value in _values(field)),
        *map(str, (*Expectation, *Verdict, *Decision)),
        *(judge.name for judge in (panel.coherence, *panel.verdicts.values())),
        *(name for suite in suites for name in (suite.name, *suite.categories)),
        *get_args(Worse),
        *Chat._fields,
        ALL,
        TASK_CATEGORY,
        RARE_CATEGORY,
    }
    named = {span for span in spans(page) if re.fullmatch(r"[a-z][a-z0-9_-]*(?:[/@][a-z0-9_/{}:@-]+)?", span)}
    paths = {span for span in named if span.startswith(("configs/", "docs/", "tests/"))}
    assert sorted(named - paths - known) == []


def _values(field) -> tuple[str, ...]:
    """The values of a field that has few."""
    return tuple(value for value in get_args(field.annotation) if isinstance(value, str))


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
    partial = check.classes[Verdict.PARTIAL].recall
    return (
        f"`{name}`",
        _with_interval(check.accuracy),
        _with_interval(check.macro_f1),
        _with_interval(check.classes[Verdict.PASS].f1),
        f"{check.kappa.value:.2f}",
        f"{partial.count} of {partial.of}",
    )


def _with_interval(figure: Share | Score) -> str:
    assert figure.value is not None
    assert figure.lower is not None
    assert figure.upper is not None
    return f"{100 * figure.value:.1f} % ({100 * figure.lower:.1f} to {100 * figure.upper:.1f})"
