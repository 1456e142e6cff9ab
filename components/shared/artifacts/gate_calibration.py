"""What a gate decides about regressions of known size: GateCalibration, where it is kept, and its summary."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.decision import Decision
from components.shared.artifacts.safety_report import ASKED_AS, Contract
from components.shared.digests import digest_json
from components.shared.store import Store

CALIBRATION_TAG = "plimsoll.calibration"
"""MLflow tag of a decided run: one sentence on this gate's calibration, if it was calibrated."""

CALIBRATION_KIND = "gate-calibrations"
"""Calibrations in the store, by `calibration_key`; a newer one replaces an older one."""

EDGES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Upper ends of the bins of true drops, in units of the policy's widest limit; the last bin has no end."""

_FILE = "calibration.json"


class CategoryResponse(Record):
    """One category of one mutant."""

    true_drop_pp: float = Field(description="Measured on many more answers than the gate got, with another seed.")
    error_pp: float = Field(ge=0, description="Standard error of true_drop_pp on these prompts.")
    decision: Decision | None = Field(description="The gate's decision; None if the policy does not gate it.")
    predicted: dict[Decision, float] = Field(description="Share of simulated gates by decision, 0 to 1.")


class Mutant(Record):
    """An adapter made to have a regression of known size, and the gate's decision on it."""

    bad: float = Field(description="Weight of the bad adapter's update.")
    good: float = Field(description="Weight of the good adapter's update; 0 if there is none.")
    adapter_digest: str
    seed: int = Field(description="Seed of the gate's evaluations, baseline included.")
    truth_answers: int = Field(ge=1, description="Answers per prompt and side that its true drops are measured on.")
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
    """The decisions on mutants or categories whose true drop is in one range.

    Attributes:
        low_pp: lower end of the range, excluded; None: no lower end.
        high_pp: upper end, included; None: no upper end.
        decisions: observed count of each decision.
        predicted: expected count of each decision; the sum is the number of observations.
    """

    low_pp: float | None
    high_pp: float | None
    decisions: Counter[Decision]
    predicted: dict[Decision, float]

    @property
    def observations(self) -> int:
        """Number of decisions."""
        return self.decisions.total()

    @property
    def caught(self) -> int:
        """Number of decisions other than promote."""
        return self.observations - self.decisions[Decision.PROMOTE]

    @property
    def range_in_words(self) -> str:
        """Such as `10 to 15 pp`."""
        if self.low_pp is None:
            return f"up to {self.high_pp:g} pp"
        if self.high_pp is None:
            return f"more than {self.low_pp:g} pp"
        return f"{self.low_pp:g} to {self.high_pp:g} pp"


class GateCalibration(Artifact):
    """What one gate (suites, judges, k, policy) decides about regressions of one base model."""

    pipeline: str
    base_name: str
    base_digest: str
    policy_name: str
    policy_version: str
    policy_digest: str
    contract: Contract = Field(description="Contract of the gate's evaluations, with the config's seed.")
    gated: tuple[str, ...] = Field(min_length=1, description="Categories with a rule for their drop.")
    limit_pp: float = Field(gt=0, description="The widest limit of a gated category, percentage points.")
    truth_answers: int = Field(
        ge=1,
        description="Answers per prompt and side that a true drop rests on, unless it is far above the limit.",
    )
    simulations: int = Field(ge=1, description="Simulated gates per mutant that a prediction rests on.")
    seconds: float = Field(ge=0, description="Wall-clock time of the calibration, seconds.")
    mutants: tuple[Mutant, ...] = Field(min_length=1, description="In order of the bad adapter's weight.")

    @property
    def key(self) -> str:
        """See `calibration_key`."""
        return calibration_key(self.contract, self.base_digest, self.policy_digest)

    @property
    def bins(self) -> tuple[Bin, ...]:
        """Mutants by the true drop of their worst gated category; empty bins are left out."""
        observed = [(mutant.drop_pp, mutant.decision, mutant.predicted) for mutant in self.mutants]
        return _binned(observed, self.limit_pp)

    @property
    def category_bins(self) -> tuple[Bin, ...]:
        """Gated categories of all mutants by the category's true drop."""
        observed = [
            (response.true_drop_pp, response.decision, response.predicted)
            for mutant in self.mutants
            for category, response in mutant.categories.items()
            if response.decision is not None and category in self.gated  # not the task: its gain is no regression
        ]
        return _binned(observed, self.limit_pp)


def calibration_key(contract: Contract, base_digest: str, policy_digest: str) -> str:
    """The key that a calibration is kept under: suites, judges, how answers are drawn, base model and policy.

    The seed is not part of it: a calibration describes the gate over all seeds.

    Args:
        contract: contract of the gate's evaluations.
        base_digest: digest of the base model.
        policy_digest: digest of the policy.
    """
    asked = contract.model_dump(mode="json", include={"suites", "judges", "ends", *ASKED_AS})
    return digest_json([asked, base_digest, policy_digest])


def keep_calibration(store: Store, calibration: GateCalibration) -> str:
    """Writes a calibration to the store and returns its key.

    Raises:
        StorageError: the store cannot be written.
    """
    with TemporaryDirectory() as directory:
        calibration.save(Path(directory) / _FILE)
        store.put(CALIBRATION_KIND, calibration.key, Path(directory))
    return calibration.key


def known_calibration(store: Store, key: str) -> GateCalibration | None:
    """The calibration with this key (`calibration_key`); None if the store has none.

    Raises:
        IntegrityError: it was changed after it was written.
        StorageError: the store cannot be read.
    """
    with TemporaryDirectory() as directory:
        if not store.fetch(CALIBRATION_KIND, key, Path(directory)):
            return None
        return GateCalibration.load(Path(directory) / _FILE)


def calibration_sentence(calibration: GateCalibration) -> str:
    """One sentence: how often this gate catches a drop just above its limit.

    It quotes the lowest bin above the limit that has a mutant; caught means any decision but promote.
    """
    how = (
        f"policy {calibration.policy_name} {calibration.policy_version}, "
        f"k = {calibration.contract.samples_per_prompt}, {len(calibration.mutants)} made-up regressions"
    )
    beyond = (each for each in calibration.bins if each.low_pp is not None and each.low_pp >= calibration.limit_pp)
    lowest = next(beyond, None)
    if lowest is None:
        return f"No made-up regression was above the limit of {calibration.limit_pp:g} pp ({how})."
    predicted = 100 * (1 - lowest.predicted.get(Decision.PROMOTE, 0.0) / lowest.observations)
    observed = 100 * lowest.caught / lowest.observations
    return (
        f"This gate would have caught a drop of {lowest.range_in_words} {observed:.0f} % of the time "
        f"({lowest.caught} of {lowest.observations}; predicted {predicted:.0f} %; {how})."
    )


def _binned(observed: Sequence[tuple[float, Decision, dict[Decision, float]]], limit_pp: float) -> tuple[Bin, ...]:
    ends = [edge * limit_pp for edge in EDGES]
    bins = []
    for low, high in zip([None, *ends], [*ends, None], strict=True):
        inside = [row for row in observed if (low is None or row[0] > low) and (high is None or row[0] <= high)]
        if inside:
            decisions = Counter(decision for _, decision, _ in inside)
            bins.append(Bin(low, high, decisions, _total(predicted for _, _, predicted in inside)))
    return tuple(bins)


def _total(predictions: Iterable[dict[Decision, float]]) -> dict[Decision, float]:
    """The sum of several predictions: the expected count of each decision."""
    total: dict[Decision, float] = {}
    for predicted in predictions:
        for decision, share in predicted.items():
            total[decision] = total.get(decision, 0.0) + share
    return total
