"""How far a judge agrees with people's labels on some answers: JudgeCheck, and where checks are kept."""

import re
from pathlib import Path

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.digests import short
from components.shared.vocabulary import Verdict

CHECKS_DIR = Path(".plimsoll/judges")
"""Folder of the checks, below the working directory."""


class Share(Record):
    """A proportion, 0 to 1, with its two-sided Wilson interval; None if the total is 0."""

    count: int = Field(ge=0)
    of: int = Field(ge=0)
    value: float | None
    lower: float | None
    upper: float | None


class Score(Record):
    """A figure with the two-sided interval of a Bayesian bootstrap.

    The value is None if the figure is not defined; the bounds are None also if all replicates are equal.
    """

    value: float | None
    lower: float | None
    upper: float | None


class ClassFigures(Record):
    """One class of labels."""

    labelled: int = Field(ge=0, description="Answers that people put into this class.")
    judged: int = Field(ge=0, description="Answers that the judge put into this class.")
    precision: Share = Field(description="Share of the judge's answers of this class that people put there too.")
    recall: Share = Field(description="Share of people's answers of this class that the judge put there too.")
    f1: Score = Field(description="Harmonic mean of precision and recall, 0 to 1.")


class JudgeCheck(Artifact):
    """A judge compared with one file of labelled answers."""

    judge: str = Field(description="name@version.")
    labels_file: str = Field(description="The file's name, without its folder.")
    labels_sha256: str = Field(description="Digest of the file's bytes.")
    columns: dict[str, str] = Field(description="The file's column for each thing that was read.")
    label_map: dict[str, Verdict] = Field(description="The verdict that each of the file's labels stands for.")
    answers: int = Field(ge=1, description="Number of labelled answers; all figures include all of them.")
    prompts: int = Field(
        ge=1, description="Number of different prompts; if there are fewer than answers, the intervals are too narrow."
    )
    confusion: dict[Verdict, dict[Verdict, int]] = Field(description="Answers by label, then by verdict.")
    accuracy: Share = Field(description="Answers whose verdict equals the label; an unscored answer is wrong.")
    unscored: Share = Field(description="Answers that the judge could not score.")
    macro_f1: Score = Field(description="Mean of F1 over the classes that occur among the labels.")
    kappa: Score = Field(description="Cohen's kappa of labels and verdicts; `unscored` is a separate verdict.")
    sensitivity: Share = Field(
        description="Of the answers whose label is not `pass`, those whose verdict is neither `pass` nor `unscored`."
    )
    specificity: Share = Field(description="Of the answers whose label is `pass`, those whose verdict is `pass`.")
    classes: dict[Verdict, ClassFigures] = Field(description="By class that occurs among the labels.")
    confidence: float = Field(description="Of every interval.")
    replicates: int = Field(description="Bootstrap replicates, for the intervals of F1 and kappa.")
    seed: int = Field(description="Seed of the bootstrap.")

    def path(self, directory: Path = CHECKS_DIR) -> Path:
        """The check's file below a directory: one per judge, version and labels file; a newer check replaces it."""
        return directory / folder_of(self.judge) / f"{short(self.labels_sha256)}.json"


class QuotedCheck(Record):
    """The figures of a judge's check that a report quotes."""

    judge: str = Field(description="name@version.")
    labels_file: str
    answers: int = Field(ge=1)
    accuracy: Share
    sensitivity: Share
    specificity: Share
    kappa: Score

    @classmethod
    def of(cls, check: JudgeCheck) -> "QuotedCheck":
        """The quoted figures of a check."""
        return cls(**{name: getattr(check, name) for name in cls.model_fields})


def known_checks(directory: Path, judge: str, version: str) -> tuple[JudgeCheck, ...]:
    """The checks of one version of a judge, in file order; none if the folder does not exist.

    Raises:
        IntegrityError: a check was changed after it was written.
    """
    label = f"{judge}@{version}"
    checks = (JudgeCheck.load(path) for path in sorted((directory / folder_of(label)).glob("*.json")))
    return tuple(check for check in checks if check.judge == label)


def folder_of(judge: str) -> str:
    """The folder name for a judge's checks and labels, from its name@version."""
    return re.sub(r"[^\w.@+-]", "_", judge)
