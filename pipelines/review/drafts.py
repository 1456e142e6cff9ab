"""Reads and writes verdicts on queued answers: the draft of an unfinished review, and a file given to `--verdicts`.

A draft is written verdict by verdict, so that an interrupted review continues where it stopped. It belongs to one
decision and holds the verdicts of every reviewer who began.
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
from components.shared.jsonl import parse_rows
from components.shared.vocabulary import Verdict

DRAFTS_DIR = Path(".plimsoll/reviews")
"""Directory of the drafts, below the working directory."""

SKIP = "skip"
CHOICES = (*(verdict.value for verdict in LABELS), SKIP)
"""The verdicts that a reviewer can choose from."""

Verdicts = dict[tuple[str, int], ReviewVerdict]


class DraftLine(Record):
    """A verdict of an unfinished review."""

    reviewer: str
    given: ReviewVerdict


class VerdictLine(Record):
    """A line of a file given to `--verdicts`."""

    prompt_id: str
    sample: int | None = Field(default=None, ge=0, description="None: the only queued answer of the prompt.")
    verdict: str = Field(description="pass, partial, fail or skip.")
    note: str = ""


class Draft:
    """The verdicts of one reviewer on one decision, in a file.

    Args:
        pipeline_run: id of the run.
        decision_digest: of the decision.
        reviewer: name of the reviewer.
        directory: of the drafts.
    """

    def __init__(self, pipeline_run: str, decision_digest: str, reviewer: str, directory: Path = DRAFTS_DIR) -> None:
        name = re.sub(r"[^\w.-]", "_", pipeline_run)
        self.path = directory / f"{name}-{short(decision_digest)}.jsonl"
        self._reviewer = reviewer

    def read(self) -> Verdicts:
        """The verdicts so far, the latest on each answer; a line that a killed process cut short is left out."""
        return {(verdict.prompt_id, verdict.sample): verdict for verdict in self._verdicts()}

    def add(self, verdict: ReviewVerdict) -> None:
        """Writes a verdict to the file at once.

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
        """Deletes the file; called once the review holds its verdicts."""
        self.path.unlink(missing_ok=True)

    def _verdicts(self) -> Iterator[ReviewVerdict]:
        for line in self.path.read_bytes().splitlines() if self.path.exists() else ():
            try:
                draft = DraftLine.model_validate_json(line)
            except ValidationError:
                continue
            if draft.reviewer == self._reviewer:
                yield draft.given


def verdict_on(item: QueueItem, choice: str, note: str = "") -> ReviewVerdict:
    """A reviewer's verdict on an item.

    Args:
        item: from the queue.
        choice: one of `CHOICES`.
        note: a remark.
    """
    return ReviewVerdict(
        prompt_id=item.prompt_id,
        sample=item.sample,
        judge=item.after.judge,
        judged=item.after.verdict,
        verdict=None if choice == SKIP else Verdict(choice),
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
    for number, entry in parse_rows(VerdictLine, lines, str(path)):
        where = f"{path}:{number}"
        if entry.verdict not in CHOICES:
            raise DataError(f"{where}: verdict is {entry.verdict!r}; expected one of {', '.join(CHOICES)}")
        item = _find_item(entry, queue, where)
        if item.key in verdicts:
            raise DataError(f"{where}: a second verdict on sample {item.sample} of {item.prompt_id!r}; keep one line")
        verdicts[item.key] = verdict_on(item, entry.verdict, entry.note)
    return verdicts


def only_queued(verdicts: Mapping[tuple[str, int], ReviewVerdict], queue: Sequence[QueueItem]) -> Verdicts:
    """The verdicts that are about this queue."""
    return {item.key: verdicts[item.key] for item in queue if item.key in verdicts}


def _find_item(entry: VerdictLine, queue: Sequence[QueueItem], where: str) -> QueueItem:
    items = [item for item in queue if item.prompt_id == entry.prompt_id and entry.sample in (None, item.sample)]
    if len(items) == 1:
        return items[0]
    if items:
        samples = ", ".join(str(item.sample) for item in items)
        raise DataError(f"{where}: prompt {entry.prompt_id!r} is queued with samples {samples}; name one as sample")
    sample = "" if entry.sample is None else f"sample {entry.sample} of "
    raise DataError(
        f"{where}: {sample}prompt {entry.prompt_id!r} is not in the queue; see `plimsoll review RUN --show`"
    )
