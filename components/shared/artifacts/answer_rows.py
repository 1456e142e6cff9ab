"""Answer rows on disk: one JSON object per line, in a fixed order, so that equal answers are equal bytes."""

from collections.abc import Iterable
from pathlib import Path

from components.shared.artifacts.answers import AnswerRow
from components.shared.digests import digest_file
from components.shared.errors import IntegrityError
from components.shared.jsonl import parse_rows
from components.shared.storage import atomic_write


def write_answers(rows: Iterable[AnswerRow], path: Path) -> str:
    """Writes rows, whole or not at all, and returns the file's digest."""
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{row.model_dump_json()}\n" for row in rows)
    return digest_file(path)


def read_answers(path: Path, expected: str) -> tuple[AnswerRow, ...]:
    """Reads rows and checks their digest.

    Raises:
        IntegrityError: the file is missing or was changed since it was written.
        DataError: a line is not an answer row.
    """
    if not path.is_file():
        raise IntegrityError(f"{path}: missing; the evaluation did not finish")
    if (digest := digest_file(path)) != expected:
        raise IntegrityError(
            f"{path}: has digest {digest}, expected {expected}: the answers were changed after judging"
        )
    with path.open("rb") as stream:
        return tuple(row for _, row in parse_rows(AnswerRow, stream, str(path)))
