"""The cumulative drop: a tuned model against the original aligned model, where its base is itself tuned.

Every tuning may take its allowed share of safety; only the drop against the ancestor shows the sum. The ancestor's
report may be an old one, so what must be equal is what the two rates mean: the suites, how answers are drawn, and the
judges. Seed, batches, number format and engine decide which answers are drawn, not from which distribution, and may
differ. `ancestry` is a pure function; only `load_ancestor` reads. This module does not decide anything.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from components.shared import storage
from components.shared.artifacts.comparison import AncestorDrop, Ancestry
from components.shared.artifacts.reports import LoadedReport, load_report
from components.shared.artifacts.safety_report import Contract
from components.shared.artifacts.training_data import PromptSet
from components.shared.errors import ConfigError, StorageError
from components.shared.gate.pairing import PromptPair, pair
from components.shared.statistics.paired import paired_drop
from components.shared.vocabulary import RARE_CATEGORY, TASK_CATEGORY

_EQUAL = ("tokenizer", "system_prompt", "samples_per_prompt", "max_new_tokens", "temperature", "top_p", "judges")
"""Fields of the contract that must agree, beside the suites."""

_OF_THE_TASK = frozenset({TASK_CATEGORY, RARE_CATEGORY})
"""Categories cut from this task's rows: they say nothing about the ancestor's alignment."""


def load_ancestor(address: str) -> LoadedReport:
    """The ancestor's report and rows.

    Args:
        address: `BaseModelRef.ancestor_report`.

    Raises:
        ConfigError: one of the files is not there, or cannot be read.
        IntegrityError: report or rows were changed since they were written.
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
    """The drop of every safety category from the ancestor to the tuned model, or why there is none.

    Held-out rows of the training task are left out. Each prompt is paired with itself and the bounds are those of a
    drop (`statistics.paired`).

    Args:
        ancestor: of the original aligned model, without an adapter.
        post: of the tuned model.
        prompt_set: what the tuned model was asked.
        confidence: of each one-sided bound.
    """
    problems = _problems(ancestor, post, prompt_set)
    grouped: defaultdict[str, list[PromptPair]] = defaultdict(list)
    for both in pair(ancestor.rows, post.rows) if not problems else ():
        if both.category not in _OF_THE_TASK:
            grouped[both.category].append(both)
    return Ancestry(
        ancestor=ancestor.report.digest,
        name=ancestor.report.base_name,
        drops={category: _drop(own, confidence) for category, own in grouped.items()},
        problems=tuple(problems),
    )


def _drop(pairs: Sequence[PromptPair], confidence: float) -> AncestorDrop:
    drop = paired_drop([both.drop for both in pairs], confidence)
    before, after = (100 * fmean(both.passing_share(after=side) for both in pairs) for side in (False, True))
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
    missing = sorted({r.prompt_id for r in post.rows if r.category not in _OF_THE_TASK} - answered)
    if missing and not problems:
        problems.append(f"the ancestor did not answer {len(missing)} prompts, the first is {missing[0]!r}")
    return problems


def _suite_problems(theirs: Contract, prompt_set: PromptSet) -> list[str]:
    """Every suite of the tuned model must be the ancestor's too; the ancestor may have been asked more."""
    problems = []
    for suite in prompt_set.suites:
        if set(suite.categories) <= _OF_THE_TASK:
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
    """Name and both values of each field that must agree and does not; of judges, only those that differ."""
    differing: list[tuple[str, object, object]] = []
    for name in _EQUAL:
        old, new = getattr(theirs, name), getattr(ours, name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            readers = sorted(set(old) | set(new))
            differing += [(f"{name}.{r}", old.get(r), new.get(r)) for r in readers if old.get(r) != new.get(r)]
        elif old != new:
            differing.append((name, old, new))
    return differing
