"""Answer rows on disk: one JSON object per line, in a fixed order, so that equal answers are equal bytes."""

from collections.abc import Iterable
from pathlib import Path

from components.shared.artifacts.answers import AnswerRow
from components.shared.digests import digest_file
from components.shared.errors import IntegrityError


def write_answers(rows: Iterable[AnswerRow], path: Path) -> str:
    """Writes rows, whole or not at all, and returns the file's digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{row.model_dump_json()}\n" for row in rows)
    partial.replace(path)
    return digest_file(path)


def read_answers(path: Path, expected: str) -> tuple[AnswerRow, ...]:
    """Reads rows and checks their digest.

    Raises:
        IntegrityError: the file is missing or was changed since it was written.
    """
    if not path.is_file():
        raise IntegrityError(f"{path}: missing; the evaluation did not finish")
    if (found := digest_file(path)) != expected:
        raise IntegrityError(f"{path}: has digest {found}, expected {expected}: the answers were changed after judging")
    with path.open(encoding="utf-8") as stream:
        return tuple(AnswerRow.model_validate_json(line) for line in stream)
