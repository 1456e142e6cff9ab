"""Keeps reviewers' verdicts as labels for each judge, and computes how far judge and reviewers agree.

Labels are kept beside a judge's checks, in `<checks>/<judge>/reviews.jsonl`: one line per answer, with the columns
that `plimsoll judge check --labels` reads. A queue holds the answers that look worst, so these figures are about such
answers only.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from components.shared.artifacts.artifact import Record
from components.shared.artifacts.human_review import JudgeAgreement
from components.shared.artifacts.judge_check import folder_of
from components.shared.errors import StorageError
from components.shared.jsonl import parse_rows
from components.shared.statistics.agreement import cohen_kappa
from components.shared.vocabulary import Verdict

REVIEWS_FILE = "reviews.jsonl"
_VERDICTS = list(Verdict)


class ReviewedLabel(Record):
    """One answer with a judge's and a reviewer's verdict."""

    judge: str = Field(description="name@version.")
    pipeline_run: str
    prompt_id: str
    sample: int = Field(ge=0)
    system: str | None
    prompt: str
    answer: str
    verdict: Verdict = Field(description="The judge's verdict.")
    label: Verdict = Field(description="The reviewer's verdict.")
    reviewer: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Two labels with the same key are about the same answer; the later one counts."""
        return self.judge, self.pipeline_run, self.prompt_id, self.sample


def labels_path(directory: Path, judge: str) -> Path:
    """The file of the labels about a judge, in the folder of its checks."""
    return directory / folder_of(judge) / REVIEWS_FILE


def read_labels(directory: Path, judge: str) -> tuple[ReviewedLabel, ...]:
    """The labels about one version of a judge, the latest on each answer; none where there is no file.

    Raises:
        DataError: a line is not such a label.
    """
    path = labels_path(directory, judge)
    if not path.is_file():
        return ()
    labels: dict[tuple[str, str, str, int], ReviewedLabel] = {}
    for _, label in parse_rows(ReviewedLabel, path.read_bytes().splitlines(), str(path)):
        labels[label.key] = label
    return tuple(label for label in labels.values() if label.judge == judge)


def keep_labels(directory: Path, labels: Iterable[ReviewedLabel]) -> None:
    """Appends labels to the files of their judges; a label that a file holds already is not repeated.

    Raises:
        DataError: a file holds something else than labels.
        StorageError: a file cannot be written.
    """
    for judge, new in _by_judge(labels).items():
        known = set(read_labels(directory, judge))
        lines = "".join(f"{label.model_dump_json()}\n" for label in new if label not in known)
        path = labels_path(directory, judge)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(lines)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(
                f"{path}: reviewers' labels cannot be kept: {error.strerror}; name a directory that can be written as "
                "evaluation.judge_checks"
            ) from None


def agreement(labels: Iterable[ReviewedLabel], directory: Path) -> tuple[JudgeAgreement, ...]:
    """How far each judge agrees with the labels of one review, and with those of all reviews so far.

    Args:
        labels: of the review; each replaces an earlier label on the same answer.
        directory: of the earlier labels.

    Raises:
        DataError: a file there holds something else than labels.
    """
    agreements = []
    for judge, new in _by_judge(labels).items():
        together = list({label.key: label for label in (*read_labels(directory, judge), *new)}.values())
        agreements.append(
            JudgeAgreement(
                judge=judge,
                answers=len(new),
                agreed=_agreed(new),
                kappa=_kappa(new),
                answers_so_far=len(together),
                agreed_so_far=_agreed(together),
                kappa_so_far=_kappa(together),
            )
        )
    return tuple(agreements)


def _by_judge(labels: Iterable[ReviewedLabel]) -> Mapping[str, list[ReviewedLabel]]:
    grouped: defaultdict[str, list[ReviewedLabel]] = defaultdict(list)
    for label in labels:
        grouped[label.judge].append(label)
    return grouped


def _agreed(labels: Sequence[ReviewedLabel]) -> int:
    return sum(label.label is label.verdict for label in labels)


def _kappa(labels: Sequence[ReviewedLabel]) -> float | None:
    """Cohen's kappa of labels and judge's verdicts, over all five verdicts; None where it is not defined."""
    table = np.zeros((len(_VERDICTS), len(_VERDICTS)), dtype=np.int64)
    for label in labels:
        table[_VERDICTS.index(label.label), _VERDICTS.index(label.verdict)] += 1
    kappa = float(cohen_kappa(table))
    return None if np.isnan(kappa) else kappa
