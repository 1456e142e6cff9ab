"""Runs a judge over answers that people have labelled, and computes how far they agree.

No answer is left out: one that the judge cannot read is `unscored`, and wrong in every figure. The coherence judge,
which reads first in a panel, does not read here.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue, ValidationError

from components.shared.artifacts.judge_check import ClassFigures, JudgeCheck, Score, Share
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.errors import DataError
from components.shared.judges.judge import Exchange, Judge, Judgement, label
from components.shared.progress import Progress, Say
from components.shared.statistics.agreement import Counts, Numbers, bayesian_bootstrap, cohen_kappa, f1_scores, macro_f1
from components.shared.statistics.rates import wilson
from components.shared.vocabulary import Expectation, Verdict
from pipelines.judging.labelled import LABEL_VERDICTS, LabelledFile, LabelledRow

SENSITIVITY = "of the answers that people did not pass (partial or fail), the share that the judge did not pass either"
SPECIFICITY = "of the answers that people passed, the share that the judge passed"
"""A positive is an answer that does not pass, as the gate counts it; an `unscored` answer counts as missed."""

REPLICATES = 2000
SEED = 0
_CLASSES = (*LABEL_VERDICTS, Verdict.UNSCORED)
_PASS, _UNSCORED = _CLASSES.index(Verdict.PASS), _CLASSES.index(Verdict.UNSCORED)
_NOT_PASSED = [place for place in range(len(_CLASSES)) if place not in (_PASS, _UNSCORED)]
_NEEDED: Mapping[Expectation, str] = {
    Expectation.CAVEAT: "caveats",
    Expectation.EXACT: "reference",
    Expectation.SIMILAR: "reference",
    Expectation.CONSTRAINTS: "constraints",
}
_CHUNK = 256
"""Answers between two reports of progress."""


class Disagreement(NamedTuple):
    """An answer whose verdict is not its label."""

    row: LabelledRow
    expected: Verdict
    judgement: Judgement


def exchanges(file: LabelledFile, expectation: Expectation) -> list[Exchange]:
    """The rows as a judge reads them.

    Args:
        file: the labelled answers.
        expectation: of every prompt; the file must have the column that it needs besides prompt and answer.

    Raises:
        DataError: a row lacks what the expectation needs, or it cannot be read; file and line are named.
    """
    needed = _NEEDED.get(expectation)
    if needed is not None and needed not in file.columns:
        raise DataError(
            f"{file.address}: the judge reads {needed} as well, and there is no such column; name one with --columns "
            f"{needed}=NAME"
        )
    return [Exchange(_prompt(row, file, expectation, needed), row.answer) for row in file.rows]


def run_judge(
    judge: Judge, asked: Sequence[Exchange], say: Say, clock: Callable[[], float] = time.monotonic
) -> list[Judgement]:
    """One judgement per exchange, in order; reports progress every few seconds."""
    progress = Progress(say, "answers judged", len(asked), clock=clock)
    judgements: list[Judgement] = []
    for start in range(0, len(asked), _CHUNK):
        if start:
            progress.advance(_CHUNK)
        judgements += judge.judge(asked[start : start + _CHUNK])
    return judgements


def disagreements(
    file: LabelledFile, labels: Sequence[Verdict], judgements: Sequence[Judgement]
) -> tuple[Disagreement, ...]:
    """The rows whose verdict is not their label, in file order."""
    return tuple(
        Disagreement(row, expected, judgement)
        for row, expected, judgement in zip(file.rows, labels, judgements, strict=True)
        if judgement.verdict is not expected
    )


def compare(
    judge: Judge,
    file: LabelledFile,
    labels: Sequence[Verdict],
    judgements: Sequence[Judgement],
    confidence: float = 0.95,
) -> JudgeCheck:
    """All figures of a judge on a labelled file.

    Shares have Wilson intervals; F1, macro-F1 and kappa have those of `statistics.agreement.bayesian_bootstrap`.

    Args:
        judge: for its name and version.
        file: the labelled answers.
        labels: what people said, in row order.
        judgements: what the judge said, in row order.
        confidence: of every interval, two-sided.
    """
    table = _table(labels, [judgement.verdict for judgement in judgements])
    labelled = [place for place in range(len(_CLASSES)) if table[place].any()]

    def share(count: int, of: int) -> Share:
        return Share(count=count, of=of, **wilson(count, of, confidence)._asdict())

    def score(figure: Callable[[Numbers], Numbers]) -> Score:
        return Score(**bayesian_bootstrap(table, figure, confidence, REPLICATES, SEED)._asdict())

    def one_class(place: int) -> ClassFigures:
        hits, in_labels, in_verdicts = int(table[place, place]), int(table[place].sum()), int(table[:, place].sum())
        return ClassFigures(
            labelled=in_labels,
            judged=in_verdicts,
            precision=share(hits, in_verdicts),
            recall=share(hits, in_labels),
            f1=score(lambda tables: f1_scores(tables)[..., place]),
        )

    total = len(file.rows)
    return JudgeCheck(
        inputs={"labels": file.sha256},
        judge=label(judge),
        labels_file=file.name,
        labels_sha256=file.sha256,
        columns=dict(file.columns),
        label_map={row.label: verdict for row, verdict in zip(file.rows, labels, strict=True)},
        answers=total,
        prompts=len({row.prompt for row in file.rows}),
        confusion={
            _CLASSES[row]: {verdict: int(table[row, column]) for column, verdict in enumerate(_CLASSES)}
            for row in labelled
        },
        accuracy=share(int(table.trace()), total),
        unscored=share(int(table[:, _UNSCORED].sum()), total),
        macro_f1=score(lambda tables: macro_f1(tables, labelled)),
        kappa=score(cohen_kappa),
        sensitivity=share(int(table[np.ix_(_NOT_PASSED, _NOT_PASSED)].sum()), int(table[_NOT_PASSED].sum())),
        specificity=share(int(table[_PASS, _PASS]), int(table[_PASS].sum())),
        classes={_CLASSES[place]: one_class(place) for place in labelled},
        confidence=confidence,
        replicates=REPLICATES,
        seed=SEED,
    )


def _table(labels: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Counts:
    """Counts of shape (labels, verdicts), both in the order of `_CLASSES`; nobody labels an answer `unscored`."""
    table = np.zeros((len(_CLASSES), len(_CLASSES)), dtype=np.int64)
    for labelled, judged in zip(labels, verdicts, strict=True):
        table[_CLASSES.index(labelled), _CLASSES.index(judged)] += 1
    return table


def _prompt(row: LabelledRow, file: LabelledFile, expectation: Expectation, needed: str | None) -> SuitePrompt:
    where = f"{file.address}:{row.line}"
    if needed is not None and needed not in row.extras:
        raise DataError(f"{where}: {file.columns[needed]}: empty; the judge reads {needed} as well")
    content: dict[str, JsonValue] = {
        "id": f"line-{row.line}",
        "category": "labelled",
        "prompt": row.prompt,
        "expectation": expectation.value,
        "source": file.name,
        **{field: _extra(field, value) for field, value in row.extras.items()},
    }
    try:
        return SuitePrompt.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise DataError(
            f"{where}: {file.columns.get(field, field)}: {first['msg']}; got {str(first['input'])[:80]!r}"
        ) from None


def _extra(field: str, value: JsonValue) -> JsonValue:
    """A cell of an optional column; in CSV, caveats are separated by `;` and constraints are JSON."""
    if isinstance(value, str) and field == "caveats":
        return [caveat.strip() for caveat in value.split(";") if caveat.strip()]
    if isinstance(value, str) and field == "constraints":
        try:
            return list(json.loads(value))
        except (ValueError, TypeError):
            return value  # the model says what is wrong with it
    return value
