"""Keeps checkpoints of an unfinished training in the store, so that the next attempt continues from there.

A pod that is evicted and started again has an empty disk, so trl's checkpoints are moved to the store at an interval.
They alternate between two entries, so the last one stays intact while the next one is written.
"""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from components.shared.errors import IntegrityError, StorageError
from components.shared.progress import Say
from components.shared.store import CHECKPOINT_KIND, Store

_PLACES = ("0", "1")
_FOLDER = re.compile(r"checkpoint-(\d+)/")


class Checkpoints:
    """The newest checkpoints of one training.

    Args:
        store: keeps them.
        key: digest of everything that decides the adapter.
        every_minutes: time between two of them; None makes none, but still uses one from an earlier attempt.
        say: receives progress messages.
        clock: monotonic seconds; replaced in tests.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        every_minutes: float | None,
        say: Say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._key, self._every_minutes, self._say, self._clock = store, key, every_minutes, say, clock
        self._last = clock()

    def due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return self._every_minutes is not None and self._clock() - self._last >= 60 * self._every_minutes

    def keep(self, folder: Path) -> None:
        """Moves a checkpoint to the store, where it replaces the older of the two.

        If the store fails, a message says so and training continues.

        Args:
            folder: `checkpoint-<step>`, as transformers writes it; it is removed.
        """
        started = self._clock()
        try:
            with TemporaryDirectory(dir=folder.parent) as outbox:
                shutil.move(folder, Path(outbox) / folder.name)
                steps = self._steps()
                place = self._entry(min(_PLACES, key=lambda place: steps.get(place, -1)))
                self._store.remove(CHECKPOINT_KIND, place)
                self._store.put(CHECKPOINT_KIND, place, Path(outbox))
        except StorageError as error:
            self._say(f"{folder.name} could not be kept, training goes on without it: {error}")
        else:
            self._say(f"kept {folder.name} in {self._clock() - started:.0f} s")
        self._last = self._clock()

    def restore(self, folder: Path) -> Path | None:
        """Fetches the newest complete checkpoint.

        Args:
            folder: receives `checkpoint-<step>`.

        Returns:
            The checkpoint's directory; None if there is none.

        Raises:
            StorageError: the store cannot be read.
        """
        for step, place in sorted(((step, place) for place, step in self._steps().items()), reverse=True):
            target = folder / place
            try:
                self._store.fetch(CHECKPOINT_KIND, self._entry(place), target)
            except IntegrityError as error:
                self._say(f"the checkpoint of step {step} is not used: {error}")
                shutil.rmtree(target, ignore_errors=True)
                continue
            return target / f"checkpoint-{step}"
        return None

    def drop(self) -> None:
        """Removes the checkpoints after training; if that fails, a message says so."""
        try:
            self._store.remove(CHECKPOINT_KIND, self._key)
        except StorageError as error:
            self._say(f"the checkpoints could not be removed: {error}")

    def _steps(self) -> dict[str, int]:
        """The step of each entry whose index can be read."""
        newest = {}
        for place in _PLACES:
            try:
                names = self._store.files(CHECKPOINT_KIND, self._entry(place)) or ()
            except IntegrityError as error:
                self._say(f"a checkpoint is not used: {error}")
                continue
            steps = [int(match[1]) for name in names if (match := _FOLDER.match(name))]
            if steps:
                newest[place] = steps[0]
        return newest

    def _entry(self, place: str) -> str:
        return f"{self._key}/{place}"
