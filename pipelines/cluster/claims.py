"""Claims on the right to start the next run: files in the pipeline's store, each written at most once.

A claim belongs to a state (the last decision, what changed since, and the reason that a person gave) and has an
attempt number. The store lets only one writer make a file (S3: `If-None-Match`, since August 2024; a directory: a hard
link), so of two callers that see the same state one starts a run and the other finds its claim. Claims are never
deleted: after an attempt without a decision comes the next number.
"""

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from components.shared import storage
from components.shared.artifacts.artifact import Record
from components.shared.digests import short
from components.shared.errors import IntegrityError, StorageError

_FOLDER = "claims"


class Claim(Record):
    """An attempt at starting a run."""

    pipeline: str
    attempt: int = Field(ge=1)
    run_name: str = Field(description="Displayed name of the run on the server; it is known before the run is.")
    claimed_at: datetime
    who: str
    why: tuple[str, ...]


class Claims:
    """The claims on one state of one pipeline.

    Args:
        store: address of the pipeline's store.
        pipeline: its name.
        state: digest of the state.
    """

    def __init__(self, store: str, pipeline: str, state: str) -> None:
        self._pipeline, self._state = pipeline, short(state)
        self.address = storage.join(store, _FOLDER, pipeline, self._state)

    def latest(self) -> Claim | None:
        """The claim with the highest attempt number; None if there is no claim."""
        claim, attempt = None, 1
        while storage.exists(self._file(attempt)):
            claim = self._read(attempt)
            attempt += 1
        return claim

    def claim(self, attempt: int, who: str, why: tuple[str, ...]) -> Claim | None:
        """Claims an attempt; None if another caller has it.

        Raises:
            StorageError: the store cannot be written.
        """
        run_name = f"{self._pipeline}-{self._state[:8]}-{attempt}"
        made = Claim(
            pipeline=self._pipeline,
            attempt=attempt,
            run_name=run_name,
            claimed_at=datetime.now(UTC),
            who=who,
            why=why,
        )
        return made if _put_new(made.model_dump_json(indent=1), self._file(attempt)) else None

    def settle(self, claim: Claim, run: str | None) -> None:
        """Records the run that a claim led to; None if starting one failed."""
        storage.put_text(json.dumps({"run": run}), self._file(claim.attempt, "settled"))

    def settled(self, claim: Claim) -> tuple[bool, str | None]:
        """Whether `settle` was called for a claim, and the run that it recorded."""
        address = self._file(claim.attempt, "settled")
        if not storage.exists(address):
            return False, None
        run = json.loads(storage.read_bytes(address))["run"]
        return True, str(run) if run is not None else None

    def _file(self, attempt: int, what: str = "claim") -> str:
        return storage.join(self.address, f"{attempt}.{what}.json")

    def _read(self, attempt: int) -> Claim:
        address = self._file(attempt)
        try:
            return Claim.model_validate_json(storage.read_bytes(address))
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise IntegrityError(f"{address}: is not a claim ({reason}); remove it and repeat the command") from None


def _put_new(text: str, address: str) -> bool:
    if storage.is_s3(address):
        return storage.put_new(text, address)
    target = Path(address)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=target.parent, encoding="utf-8", prefix=".claim-") as partial:
            partial.write(text)
            partial.flush()
            os.link(partial.name, target)
    except FileExistsError:
        return False
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None
    return True
