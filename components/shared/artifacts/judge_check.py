"""How far a judge agrees with people's labels: JudgeCheck, and where checks are kept.

This module does not compute the figures (`evaluation.agreement` does), and it does not know which check a reader
should trust: a check speaks about the answers that it was made on.
"""

import re
from pathlib import Path

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.digests import short
from components.shared.vocabulary import Verdict

CHECKS_DIR = Path(".plimsoll/judges")
"""Where checks are kept, below the working directory."""


class Share(Record):
    """So many of so many, with a two-sided Wilson interval; shares are 0 to 1, None of nothing."""

    count: int = Field(ge=0)
    of: int = Field(ge=0)
    value: float | None
    lower: float | None
    upper: float | None


class Score(Record):
    """A figure with the two-sided interval of a Bayesian bootstrap.

    The value is None where the figure is not defined; the bounds also where every replicate says the same.
    """

    value: float | None
    lower: float | None
    upper: float | None


class ClassFigures(Record):
    """One class of labels."""

    labelled: int = Field(ge=0, description="Answers to which people gave this class.")
    judged: int = Field(ge=0, description="Answers to which the judge gave this class.")
    precision: Share = Field(description="Of the answers that the judge gave this class, those that people did too.")
    recall: Share = Field(description="Of the answers that people gave this class, those that the judge did too.")
    f1: Score = Field(description="Harmonic mean of precision and recall, 0 to 1.")


class JudgeCheck(Artifact):
    """One judge against one file of labelled answers."""

    judge: str = Field(description="name@version.")
    labels_file: str = Field(description="The file's name, without its folder.")
    labels_sha256: str = Field(description="Digest of the file's bytes.")
    columns: dict[str, str] = Field(description="The file's column, by what was read from it.")
    label_map: dict[str, Verdict] = Field(description="What each of the file's labels was taken for.")
    answers: int = Field(ge=1, description="Labelled answers; every one is in every figure.")
    prompts: int = Field(
        ge=1, description="Different prompts among them; where there are fewer than answers, intervals are too narrow."
    )
    confusion: dict[Verdict, dict[Verdict, int]] = Field(description="Answers by label, then by verdict.")
    accuracy: Share = Field(description="Answers whose verdict is their label; an unscored answer is wrong.")
    unscored: Share = Field(description="Answers that the judge could not read.")
    macro_f1: Score = Field(description="Plain mean of F1 over the classes that occur among the labels.")
    kappa: Score = Field(description="Cohen's kappa of labels and verdicts, `unscored` being a verdict of its own.")
    sensitivity: Share = Field(
        description="Of the answers whose label is not `pass`, those whose verdict is neither `pass` nor `unscored`."
    )
    specificity: Share = Field(description="Of the answers whose label is `pass`, those whose verdict is `pass`.")
    classes: dict[Verdict, ClassFigures] = Field(description="By class that occurs among the labels.")
    confidence: float = Field(description="Of every interval.")
    replicates: int = Field(description="Bootstrap tables behind the intervals of F1 and kappa.")
    seed: int = Field(description="Of the bootstrap.")

    def path(self, directory: Path = CHECKS_DIR) -> Path:
        """Where the check is kept below a directory: one per judge, version and labels file; the latest stands."""
        return directory / folder_of(self.judge) / f"{short(self.labels_sha256)}.json"


class QuotedCheck(Record):
    """What a report says of a judge's check."""

    judge: str = Field(description="name@version.")
    labels_file: str
    answers: int = Field(ge=1)
    accuracy: Share
    sensitivity: Share
    specificity: Share
    kappa: Score

    @classmethod
    def of(cls, check: JudgeCheck) -> "QuotedCheck":
        """The figures of a check that a report quotes."""
        return cls(**{name: getattr(check, name) for name in cls.model_fields})


def known_checks(directory: Path, judge: str, version: str) -> tuple[JudgeCheck, ...]:
    """The checks of one version of a judge, in file order; none where there is no such folder.

    Raises:
        IntegrityError: a check was changed after it was stored.
    """
    label = f"{judge}@{version}"
    found = (JudgeCheck.load(path) for path in sorted((directory / folder_of(label)).glob("*.json")))
    return tuple(check for check in found if check.judge == label)


def folder_of(judge: str) -> str:
    """The folder of a judge's checks and labels, by its name@version."""
    return re.sub(r"[^\w.@+-]", "_", judge)
