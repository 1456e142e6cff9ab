"""Verdicts on queued answers, in files: those of an unfinished review, and those that a script hands in.

A draft is written line by line as verdicts are given, so that an interrupted review goes on where it was. This
module does not know runs; a draft belongs to one decision and holds the words of every reviewer who began.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from components.shared.artifacts.artifact import Record
from components.shared.artifacts.human_review import LABELS, QueueItem, ReviewVerdict
from components.shared.digests import short
from components.shared.errors import DataError, StorageError
from components.shared.vocabulary import Verdict

DRAFTS_DIR = Path(".plimsoll/reviews")
"""Where drafts are kept, below the working directory."""

SKIP = "skip"
WORDS = (*(verdict.value for verdict in LABELS), SKIP)
"""What a reviewer may say of an answer."""

Verdicts = dict[tuple[str, int], ReviewVerdict]


class DraftLine(Record):
    """A verdict of an unfinished review."""

    reviewer: str
    given: ReviewVerdict


class Given(Record):
    """A line of a file of verdicts."""

    prompt_id: str
    sample: int | None = Field(default=None, ge=0, description="None: the prompt's only item.")
    verdict: str = Field(description="pass, partial, fail or skip.")
    note: str = ""


class Draft:
    """The draft of one reviewer about one decision.

    Args:
        pipeline_run: id of the run.
        decision_digest: the decision.
        reviewer: who.
        directory: where drafts are kept.
    """

    def __init__(self, pipeline_run: str, decision_digest: str, reviewer: str, directory: Path = DRAFTS_DIR) -> None:
        name = re.sub(r"[^\w.-]", "_", pipeline_run)
        self.path = directory / f"{name}-{short(decision_digest)}.jsonl"
        self._reviewer = reviewer

    def read(self) -> Verdicts:
        """The verdicts so far, the last word standing; a line that was cut by a kill is left out."""
        return {(own.prompt_id, own.sample): own for own in self._lines()}

    def add(self, verdict: ReviewVerdict) -> None:
        """Keeps a verdict at once.

        Raises:
            StorageError: it cannot be written.
        """
        line = DraftLine(reviewer=self._reviewer, given=verdict)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(("\n" if torn else "") + f"{line.model_dump_json()}\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(f"{self.path}: the verdict cannot be kept: {error.strerror}") from None

    def remove(self) -> None:
        """Forgets the draft, once the review holds its verdicts."""
        self.path.unlink(missing_ok=True)

    def _lines(self) -> Iterator[ReviewVerdict]:
        for line in self.path.read_bytes().splitlines() if self.path.exists() else ():
            try:
                own = DraftLine.model_validate_json(line)
            except ValidationError:
                continue
            if own.reviewer == self._reviewer:
                yield own.given


def verdict_on(item: QueueItem, word: str, note: str = "") -> ReviewVerdict:
    """A reviewer's word on an item.

    Args:
        item: from the queue.
        word: one of `WORDS`.
        note: a remark.
    """
    return ReviewVerdict(
        prompt_id=item.prompt_id,
        sample=item.sample,
        judge=item.after.judge,
        judged=item.after.verdict,
        verdict=None if word == SKIP else Verdict(word),
        note=note,
    )


def read_verdicts(path: Path, queue: Sequence[QueueItem]) -> Verdicts:
    """Verdicts from a JSONL file: `{"prompt_id": "d-01", "sample": 0, "verdict": "fail", "note": "..."}`.

    Raises:
        DataError: the file cannot be read, or a line is about nothing in the queue; file and line are named.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{path}: verdicts cannot be read: {error.strerror}") from None
    verdicts: Verdicts = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            given = _given(line, f"{path}:{number}")
            item = _item(given, queue, f"{path}:{number}")
            if item.key in verdicts:
                raise DataError(f"{path}:{number}: a second verdict on sample {item.sample} of {item.prompt_id!r}")
            verdicts[item.key] = verdict_on(item, given.verdict, given.note)
    return verdicts


def only_queued(verdicts: Mapping[tuple[str, int], ReviewVerdict], queue: Sequence[QueueItem]) -> Verdicts:
    """The verdicts that are about this queue."""
    return {item.key: verdicts[item.key] for item in queue if item.key in verdicts}


def _given(line: bytes, where: str) -> Given:
    try:
        given = Given.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{where}: {field + ': ' if field else ''}{first['msg']}") from None
    if given.verdict not in WORDS:
        raise DataError(f"{where}: verdict is {given.verdict!r}; expected one of {', '.join(WORDS)}")
    return given


def _item(given: Given, queue: Sequence[QueueItem], where: str) -> QueueItem:
    own = [item for item in queue if item.prompt_id == given.prompt_id and given.sample in (None, item.sample)]
    if len(own) == 1:
        return own[0]
    if own:
        samples = ", ".join(str(item.sample) for item in own)
        raise DataError(f"{where}: prompt {given.prompt_id!r} is queued with samples {samples}; name one as sample")
    sample = "" if given.sample is None else f"sample {given.sample} of "
    raise DataError(
        f"{where}: {sample}prompt {given.prompt_id!r} is not in the queue; see `plimsoll review RUN --show`"
    )
