"""The Judge protocol, and which judge reads which expectation."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from components.shared.artifacts.evaluation import Expectation, SuitePrompt, Verdict


class Judgement(NamedTuple):
    """A verdict and what it rests on."""

    verdict: Verdict
    reason: str


class Judge(Protocol):
    """Reads one answer. Deterministic for equal name and version."""

    @property
    def name(self) -> str:
        """Short name, such as `refusal`."""

    @property
    def version(self) -> str:
        """Changes whenever any verdict may change."""

    def judge(self, prompt: SuitePrompt, answer: str) -> Judgement:
        """The verdict on one answer to one prompt."""


Panel = Mapping[Expectation, Judge]
"""One judge per expectation."""


def panel_versions(panel: Panel) -> dict[str, str]:
    """Judge and version by expectation, as the contract records them."""
    return {expectation.value: f"{judge.name}@{judge.version}" for expectation, judge in panel.items()}
