"""The cumulative drop: a tuned model against the original aligned model (its ancestor), if its base is itself tuned.

Each tuning may use up its allowed drop; only the drop against the ancestor shows the sum. The ancestor's report may be
old, so only what defines the two rates must be equal: suites, judges, and how answers are drawn. Seed, batches, number
format and engine may differ: they change which answers are drawn, not their distribution. The drop is shown; it decides
nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from components.shared import storage
from components.shared.artifacts.comparison import AncestorDrop, Ancestry
from components.shared.artifacts.reports import LoadedReport, load_report
from components.shared.artifacts.safety_report import ASKED_AS, Contract
from components.shared.artifacts.training_data import PromptSet
from components.shared.errors import ConfigError, StorageError
from components.shared.gate.pairing import PromptPair, by_category, pair
from components.shared.statistics.paired import paired_drop
from components.shared.vocabulary import RARE_CATEGORY, TASK_CATEGORY

_EQUAL = ("tokenizer", "ends", "judges", *ASKED_AS)
"""Fields of the contract that must be equal, besides the suites."""

_TASK_CATEGORIES = frozenset({TASK_CATEGORY, RARE_CATEGORY})
"""Categories made from this task's rows: they say nothing about the ancestor's alignment."""


def load_ancestor(address: str) -> LoadedReport:
    """The ancestor's report and rows.

    Args:
        address: `BaseModelRef.ancestor_report`.

    Raises:
        ConfigError: a file is missing or cannot be read.
        IntegrityError: report or rows were changed after they were written.
    """
    with TemporaryDirectory() as directory:
        for name in ("safety_report.json", "answers.jsonl"):
            try:
                storage.fetch(storage.join(address, name), Path(directory) / name)
            except StorageError as error:
                raise ConfigError(
                    f"base_model.ancestor_report {address!r}: {error}; expected the safety_report.json and the "
                    "answers.jsonl of the original model's evaluation"
                ) from None
        return load_report(Path(directory))


def ancestry(ancestor: LoadedReport, post: LoadedReport, prompt_set: PromptSet, confidence: float) -> Ancestry:
    """The drop of every safety category from the ancestor to the tuned model, or why they cannot be compared.

    Held-out rows of the training task are left out. The bounds are those of a paired drop (`statistics.paired`).

    Args:
        ancestor: report of the original aligned model, without an adapter.
        post: report of the tuned model.
        prompt_set: the prompts that the tuned model was asked.
        confidence: confidence of each one-sided bound.
    """
    problems = _problems(ancestor, post, prompt_set)
    grouped = {} if problems else by_category(pair(ancestor.rows, post.rows))
    return Ancestry(
        ancestor=ancestor.report.digest,
        name=ancestor.report.base_name,
        drops={name: _drop(pairs, confidence) for name, pairs in grouped.items() if name not in _TASK_CATEGORIES},
        problems=tuple(problems),
    )


def _drop(pairs: Sequence[PromptPair], confidence: float) -> AncestorDrop:
    drop = paired_drop([both.drop for both in pairs], confidence)
    before, after = (100 * fmean(each.passing_share(after=side) for each in pairs) for side in (False, True))
    return AncestorDrop(
        prompts=len(pairs),
        ancestor_pct=before,
        after_pct=after,
        drop_pp=drop.mean_pp,
        lower_pp=drop.lower_pp,
        upper_pp=drop.upper_pp,
    )


def _problems(ancestor: LoadedReport, post: LoadedReport, prompt_set: PromptSet) -> list[str]:
    theirs, ours = ancestor.report.contract, post.report.contract
    problems = []
    if ancestor.report.adapter_digest is not None:
        problems.append("the ancestor was evaluated with an adapter; expected the original model alone")
    problems += _suite_problems(theirs, prompt_set)
    problems += [
        f"{name} differs: {old!r} for the ancestor, {new!r} for the tuned model"
        for name, old, new in _differing(theirs, ours)
    ]
    answered = {row.prompt_id for row in ancestor.rows}
    missing = sorted({row.prompt_id for row in post.rows if row.category not in _TASK_CATEGORIES} - answered)
    if missing and not problems:
        problems.append(f"the ancestor did not answer {len(missing)} prompts, the first is {missing[0]!r}")
    return problems


def _suite_problems(theirs: Contract, prompt_set: PromptSet) -> list[str]:
    """Every suite of the tuned model must be one of the ancestor's; the ancestor may have been asked more."""
    problems = []
    for suite in prompt_set.suites:
        if set(suite.categories) <= _TASK_CATEGORIES:
            continue
        if suite.name not in theirs.suites:
            problems.append(f"the ancestor was not asked the suite {suite.name!r}")
        elif theirs.suites[suite.name] != suite.sha256:
            problems.append(
                f"the suite {suite.name!r} changed since the ancestor was asked; evaluate the ancestor on version "
                f"{suite.version}"
            )
    return problems


def _differing(theirs: Contract, ours: Contract) -> list[tuple[str, object, object]]:
    """Name and both values of each field that must be equal and is not; of the judges, only those that differ."""
    differing: list[tuple[str, object, object]] = []
    for name in _EQUAL:
        old, new = getattr(theirs, name), getattr(ours, name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            keys = sorted(set(old) | set(new))
            differing += [(f"{name}.{key}", old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]
        elif old != new:
            differing.append((name, old, new))
    return differing
