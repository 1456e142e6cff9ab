"""Keeps an unfinished training where its next attempt finds it: in a store, by everything that decides the adapter.

A pod that is evicted and started again has an empty disk, so what trl writes there is moved to the store, every so many
minutes. Two places take turns: the newest checkpoint is whole while the next one is being written. It does not know
how a model is trained.
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
        store: where they are kept.
        key: digest of everything that decides the adapter; another training has another.
        every_minutes: time between two of them; None: none is made, but one that is there is used.
        say: where progress goes.
        clock: seconds, rising; replaced in tests.
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
        """Whether it is time for the next one."""
        return self._every_minutes is not None and self._clock() - self._last >= 60 * self._every_minutes

    def keep(self, folder: Path) -> None:
        """Moves a checkpoint to the store, in place of the older one of two.

        A store that does not take it stops no training: it is said, and training goes on.

        Args:
            folder: `checkpoint-<step>`, as transformers writes it; it is gone afterwards.
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
        """Fetches the newest checkpoint that is whole.

        Args:
            folder: receives `checkpoint-<step>`.

        Returns:
            The checkpoint's directory; None where there is none.

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
        """Removes them: the training is over. What cannot be removed is said, and harms nothing."""
        try:
            self._store.remove(CHECKPOINT_KIND, self._key)
        except StorageError as error:
            self._say(f"the checkpoints could not be removed: {error}")

    def _steps(self) -> dict[str, int]:
        """Step by place, of each entry whose index can be read."""
        found = {}
        for place in _PLACES:
            try:
                names = self._store.files(CHECKPOINT_KIND, self._entry(place)) or ()
            except IntegrityError as error:
                self._say(f"a checkpoint is not used: {error}")
                continue
            steps = [int(match[1]) for name in names if (match := _FOLDER.match(name))]
            if steps:
                found[place] = steps[0]
        return found

    def _entry(self, place: str) -> str:
        return f"{self._key}/{place}"
