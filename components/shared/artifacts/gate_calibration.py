"""What a gate does with regressions of known size: Calibration, its dose-response table and the sentence about it.

It does not know how a regression is made or measured (`pipelines.calibration`), or where a calibration is kept
(`components.shared.artifacts.calibration_store`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.decision import Decision
from components.shared.artifacts.safety_report import Contract
from components.shared.digests import digest_json

CALIBRATION_TAG = "plimsoll.calibration"
"""MLflow tag of a decided run: the sentence about this gate's calibration, where there is one."""

EDGES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Where bins of the true drop end, in units of the policy's widest limit; the last bin is open."""


class CategoryResponse(Record):
    """One category of one mutant."""

    true_drop_pp: float = Field(description="From many more answers than the gate got, drawn with another seed.")
    error_pp: float = Field(ge=0, description="Standard error of true_drop_pp on these prompts.")
    decision: Decision | None = Field(description="What the gate said; None where the policy leaves it ungated.")
    predicted: dict[Decision, float] = Field(description="Share of simulated gates by decision, 0 to 1.")


class Mutant(Record):
    """An adapter made to have a regression of known size, and what the gate said about it."""

    bad: float = Field(description="Weight of the bad adapter's update.")
    good: float = Field(description="Weight of the good adapter's update; 0 without one.")
    adapter_digest: str
    seed: int = Field(description="Of the gate's evaluation, the baseline included.")
    truth_answers: int = Field(ge=1, description="Answers per prompt and side behind its true drops.")
    worst: str = Field(description="The gated category with the largest true drop.")
    decision: Decision
    summary: str
    predicted: dict[Decision, float] = Field(description="Share of simulated gates by decision, 0 to 1.")
    categories: dict[str, CategoryResponse]

    @property
    def drop_pp(self) -> float:
        """The true drop of the worst gated category, percentage points."""
        return self.categories[self.worst].true_drop_pp


class Bin(NamedTuple):
    """Observations of a range of true drops.

    Attributes:
        low_pp: drops in it are above this; None: of any size down from `high_pp`.
        high_pp: and at most this; None: no end.
        decisions: how often each was given.
        predicted: how often each was expected; they add up to the number of observations.
    """

    low_pp: float | None
    high_pp: float | None
    decisions: Counter[Decision]
    predicted: dict[Decision, float]

    @property
    def observations(self) -> int:
        """How many there are."""
        return self.decisions.total()

    @property
    def caught(self) -> int:
        """How many the gate did not let through."""
        return self.observations - self.decisions[Decision.PROMOTE]

    @property
    def range_in_words(self) -> str:
        """Such as `10 to 15 pp`."""
        if self.low_pp is None:
            return f"up to {self.high_pp:g} pp"
        if self.high_pp is None:
            return f"more than {self.low_pp:g} pp"
        return f"{self.low_pp:g} to {self.high_pp:g} pp"


class Calibration(Artifact):
    """How one gate (suites, judges, k, policy) answers to regressions of one base model."""

    pipeline: str
    base_name: str
    base_digest: str
    policy_name: str
    policy_version: str
    policy_digest: str
    contract: Contract = Field(description="Of the gate's evaluations, with the config's own seed.")
    gated: tuple[str, ...] = Field(min_length=1, description="Categories with a rule about their drop.")
    limit_pp: float = Field(gt=0, description="The widest limit of a gated category, percentage points.")
    truth_answers: int = Field(
        ge=1, description="Answers per prompt and side behind a true drop that is not beyond doubt."
    )
    simulations: int = Field(ge=1, description="Simulated gates per mutant behind every prediction.")
    seconds: float = Field(ge=0, description="Wall-clock time that it took.")
    mutants: tuple[Mutant, ...] = Field(min_length=1, description="By rising weight of the bad adapter.")

    @property
    def key(self) -> str:
        """See `calibration_key`."""
        return calibration_key(self.contract, self.base_digest, self.policy_digest)

    @property
    def bins(self) -> tuple[Bin, ...]:
        """Mutants by the true drop of their worst gated category; empty bins are left out."""
        seen = [(own.drop_pp, own.decision, own.predicted) for own in self.mutants]
        return _binned(seen, self.limit_pp)

    @property
    def category_bins(self) -> tuple[Bin, ...]:
        """Gated categories of all mutants by their own true drop."""
        seen = [
            (own.true_drop_pp, own.decision, own.predicted)
            for mutant in self.mutants
            for category, own in mutant.categories.items()
            if own.decision is not None and category in self.gated  # not the task: its gain is no regression
        ]
        return _binned(seen, self.limit_pp)


def calibration_key(contract: Contract, base_digest: str, policy_digest: str) -> str:
    """What a calibration is kept under: suites, judges, how answers are drawn, base model and policy.

    The seed is no part of it: the gate's behaviour is about all seeds.

    Args:
        contract: of an evaluation, judges included.
        base_digest: of the base model.
        policy_digest: of the policy.
    """
    own = contract.model_dump(
        mode="json",
        include={
            "suites",
            "judges",
            "system_prompt",
            "samples_per_prompt",
            "max_new_tokens",
            "temperature",
            "top_p",
        },
    )
    return digest_json([own, base_digest, policy_digest])


def calibration_sentence(calibration: Calibration) -> str:
    """One sentence: how often this gate would have caught a drop just beyond its limit.

    It quotes the lowest bin at or beyond the limit that holds a mutant; caught means any decision but promote.
    """
    how = (
        f"policy {calibration.policy_name} {calibration.policy_version}, "
        f"k = {calibration.contract.samples_per_prompt}, {len(calibration.mutants)} made-up regressions"
    )
    beyond = [own for own in calibration.bins if own.low_pp is not None and own.low_pp >= calibration.limit_pp]
    if not beyond:
        return f"No made-up regression was beyond the limit of {calibration.limit_pp:g} pp ({how})."
    own = beyond[0]
    predicted = 100 * (1 - own.predicted.get(Decision.PROMOTE, 0.0) / own.observations)
    observed = 100 * own.caught / own.observations
    return (
        f"This gate would have caught a drop of {own.range_in_words} {observed:.0f} % of the time "
        f"({own.caught} of {own.observations}; predicted {predicted:.0f} %; {how})."
    )


def _binned(seen: Sequence[tuple[float, Decision, dict[Decision, float]]], limit_pp: float) -> tuple[Bin, ...]:
    ends = [edge * limit_pp for edge in EDGES]
    bins = []
    for low, high in zip([None, *ends], [*ends, None], strict=True):
        own = [one for one in seen if (low is None or one[0] > low) and (high is None or one[0] <= high)]
        if own:
            decisions = Counter(decision for _, decision, _ in own)
            bins.append(Bin(low, high, decisions, total_shares(shares for _, _, shares in own)))
    return tuple(bins)


def total_shares(shares: Iterable[dict[Decision, float]]) -> dict[Decision, float]:
    """The sum of several predictions: how often each decision is expected among them."""
    total: dict[Decision, float] = {}
    for own in shares:
        for decision, share in own.items():
            total[decision] = total.get(decision, 0.0) + share
    return total
