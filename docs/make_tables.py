"""Writes the tables of docs/evaluation.md that follow from the code: `make docs-tables`.

A table stands between the lines `<!-- generated: NAME -->` and `<!-- end of NAME -->`; NAME is a key of TABLES.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from components.shared.config.judges import JUDGE_KINDS
from components.shared.judges.panel import rule_panel
from components.shared.metrics.catalogue import CATALOGUE
from components.shared.statistics.planning import spread_of_unchanged
from components.shared.suites.benchmarks.published import BENCHMARKS
from components.shared.suites.suite_files import load_suite
from components.shared.vocabulary import MUST_BE_LANGUAGE, Expectation
from pipelines.suites.resolution import WAVERING, plan, resolve

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "evaluation.md"
_BLOCK = re.compile(r"^<!-- generated: (\S+) -->\n.*?^<!-- end of \1 -->$", re.DOTALL | re.MULTILINE)


def filled(page: str) -> str:
    """The page with all its tables made anew.

    Raises:
        ValueError: the page lacks a table, or names one that does not exist.
    """
    if sorted(_BLOCK.findall(page)) != sorted(TABLES):
        raise ValueError(f"{PAGE}: has the tables {_BLOCK.findall(page)}; expected each of {list(TABLES)} once")
    return _BLOCK.sub(
        lambda block: f"<!-- generated: {block[1]} -->\n\n{TABLES[block[1]]()}\n\n<!-- end of {block[1]} -->", page
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _suites() -> str:
    suites = [load_suite(str(path)) for path in sorted((ROOT / "configs" / "suites").glob("*.yaml"))]
    rows = [row for suite in suites for row in resolve(suite, rule_panel())]
    return _table(
        ("suite", "category", "prompts", "expects"),
        [(f"`{row.suite}`", f"`{row.category}`", f"{row.prompts:,}", _code(sorted(row.expectations))) for row in rows],
    )


def _expectations() -> str:
    panel = rule_panel()
    meanings = dict(re.findall(r'= "(\w+)"(?:  #[^\n]*)?\n    """(.*?)"""', inspect.getsource(Expectation)))
    judges = {expectation: f"`{judge.name}`" for expectation, judge in panel.verdicts.items()}
    judges |= dict.fromkeys((Expectation.ALIGNED, Expectation.JUDGED), "a model judge")
    judges |= {Expectation.COHERENT: f"`{panel.coherence.name}`"}
    return _table(
        ("expectation", "an acceptable answer", "judge"),
        [(f"`{expectation}`", meanings[expectation], judges[expectation]) for expectation in Expectation],
    )


def _sizes() -> str:
    spread = spread_of_unchanged(WAVERING, 5)
    sizes = [plan(margin, spread, 0.95, 0.8) for margin in (1.0, 2.0, 3.0, 5.0, 10.0)]
    return _table(
        ("limit", "nothing wavers", f"80 % chance, if an unchanged model wavers by {spread:.1f} pp per prompt"),
        [(f"{size.margin_pp:g} pp", f"{size.least:,}", f"{size.likely:,}") for size in sizes],
    )


def _benchmarks() -> str:
    return _table(
        ("benchmark", "title", "paper", "licence", "access", "expects", "what it measures, and what it does not show"),
        [
            (
                f"`{name}`",
                benchmark.title,
                benchmark.citation,
                benchmark.licence,
                benchmark.gating,
                f"`{benchmark.expectation}`" if benchmark.expectation else "",
                benchmark.measures,
            )
            for name, benchmark in BENCHMARKS.items()
        ],
    )


def _rule_judges() -> str:
    panel = rule_panel()
    odd = _code(expectation for expectation in Expectation if expectation not in MUST_BE_LANGUAGE)
    reads: dict[tuple[str, str], list[str]] = {}
    for expectation, judge in panel.verdicts.items():
        reads.setdefault((judge.name, judge.version), []).append(expectation)
    rows = [(f"`{name}`", version, _code(expectations)) for (name, version), expectations in reads.items()]
    first = (f"`{panel.coherence.name}`", panel.coherence.version, f"all but {odd}")
    return _table(("judge", "version", "reads"), [first, *rows])


def _model_judges() -> str:
    examples: dict[str, list[str]] = {kind: [] for kind in JUDGE_KINDS}
    for path in sorted((ROOT / "configs" / "judges").glob("*.yaml")):
        examples[yaml.safe_load(path.read_text(encoding="utf-8"))["kind"]].append(path.relative_to(ROOT).as_posix())
    return _table(
        ("kind", "what it is", "examples"),
        [
            (
                f"`{kind}`",
                (inspect.getdoc(section) or "").partition("\n\n")[0].replace("\n", " "),
                _code(examples[kind]),
            )
            for kind, section in JUDGE_KINDS.items()
        ],
    )


def _metrics() -> str:
    return _table(
        ("metric", "unit", "worse", "over", "definition", "limits"),
        [
            (f"`{metric.name}`", metric.unit, metric.worse, metric.counts, metric.meaning, metric.limits)
            for metric in CATALOGUE.values()
        ],
    )


TABLES: Mapping[str, Callable[[], str]] = {
    "suites": _suites,
    "expectations": _expectations,
    "sizes": _sizes,
    "benchmarks": _benchmarks,
    "rule-judges": _rule_judges,
    "model-judges": _model_judges,
    "metrics": _metrics,
}


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
