"""Carries out the checks of a preflight one by one, and notes what was checked and what could not be."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from components.shared.config.sections import PipelineConfig
from components.shared.errors import ConfigError, PlimsollError
from components.shared.storage import BucketMissingError, ObjectMissingError
from pipelines.printing import echo, one_line
from pipelines.running.reach import missing_claim, why_unreached

_QUIET_S = 3.0
"""A check that takes longer says what it does."""

_LONGEST = 300
"""Characters of a reason: HTTP libraries wrap one error in another."""

_Result = TypeVar("_Result")


class Checked(NamedTuple):
    """What a preflight has looked at, one line each.

    Attributes:
        done: what was found to be right.
        skipped: what was not checked, and why.
        wrong: what would stop a run; empty unless problems are collected.
        cautions: what the policy leaves open, and whose verdicts nobody checked; the decision will repeat them.
    """

    done: tuple[str, ...]
    skipped: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


class CheckNotes:
    """The checks of one preflight.

    Args:
        config: with absolute local paths.
        on_cluster: whether the steps run on a cluster, so that this machine need not reach everything.
        collects: whether a problem is noted, and the checks go on; otherwise the first one is raised.
    """

    def __init__(self, config: PipelineConfig, on_cluster: bool, collects: bool = False) -> None:
        self._collects = collects
        self._wrong: list[str] = []
        self._cluster, self.on_cluster = config.cluster, on_cluster
        self._done: list[str] = []
        self._skipped: list[str] = []
        self._cautions: tuple[str, ...] = ()

    def attempt(
        self,
        subject: str,
        addresses: Iterable[str | None],
        check: Callable[[], _Result],
        says: Callable[[_Result], str],
        unreached: Callable[[BaseException], str | None] = why_unreached,
    ) -> _Result | None:
        """The result of a check; None if this machine cannot carry it out and need not, or a problem was noted.

        Args:
            subject: what is checked.
            addresses: where it is; None entries are left out.
            check: carries it out.
            says: what was found, from its result.
            unreached: why an error is about this machine's reach, or None.

        Raises:
            PlimsollError: what the check raises.
        """
        if self.on_cluster:
            places = (missing_claim(address, self._cluster) for address in addresses if address is not None)
            if (away := next(filter(None, places), None)) is not None:
                self.skip(subject, away)
                return None
        try:
            with _announced(subject):
                result = check()
        except PlimsollError as error:
            why = unreached(error) if self.on_cluster else None
            if why is not None:
                self.skip(subject, why)
            elif self._collects:
                self._wrong.append(f"{subject}: {' '.join(str(error).split())}")
            elif isinstance(error, BucketMissingError | ObjectMissingError):
                raise ConfigError(f"{subject}: {error}") from error
            else:
                raise
            return None
        self._done.append(f"{subject}: {says(result)}")
        return result

    def skip(self, subject: str, why: str) -> None:
        """Notes that something is not checked."""
        self._skipped.append(f"{subject}: {one_line(why, _LONGEST)}")

    def caution(self, sentences: Iterable[str]) -> None:
        """Notes what stops no run, and should be known before one."""
        self._cautions += tuple(sentences)

    def checked(self) -> Checked:
        """What was noted."""
        return Checked(tuple(self._done), tuple(self._skipped), tuple(self._wrong), self._cautions)


def show_skipped(checked: Checked) -> None:
    """Prints cautions and what was not checked, on standard error, a line each."""
    for line in checked.cautions:
        echo(f"caution: {line}", err=True)
    for line in checked.skipped:
        echo(f"not checked: {line}", err=True)


@contextmanager
def _announced(subject: str) -> Iterator[None]:
    """Says what is being checked if that takes longer than a few seconds."""
    timer = threading.Timer(_QUIET_S, lambda: echo(f"[preflight] checking {subject} ...", err=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
