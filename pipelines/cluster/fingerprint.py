"""The digests of a pipeline's inputs today, and how they differ from the inputs of its last decision.

Data, suites, policy and recipe are read and hashed as prepare_data and the gate do it. The base model is identified by
its files if they are on this machine, else by id and revision, or by its path on a claim: nothing is downloaded. How
rows are mixed and how answers are drawn is compared if the last run's config is known.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.sections import DataConfig, PipelineConfig
from components.shared.data.training_files import read_training_files
from components.shared.digests import digest_bytes, digest_json, short
from components.shared.generation.base_models import base_digest, cached_base_model, tokenizer_digest
from components.shared.suites.suite_files import dump_prompts, load_suites
from components.shared.tracking.decided import DecidedOn
from components.shared.vocabulary import RARE_CATEGORY, TASK_CATEGORY
from pipelines.running.reach import missing_claim

_DATA_CATEGORIES = {TASK_CATEGORY, RARE_CATEGORY}
_WITHOUT_EFFECT = {"batch_tokens", "chunk_answers", "workers", "shards", "judge_checks"}
"""Settings of the evaluation that change no answer and no verdict."""

Sections = Mapping[str, Any]
"""The sections `data` and `evaluation` of a config, as JSON."""


class Source(NamedTuple):
    """One file of training rows: its role, its digest and where it is."""

    role: str
    sha256: str
    address: str


class Fingerprint(NamedTuple):
    """The inputs of a decision, by digest."""

    sources: tuple[Source, ...]
    base_name: str
    base: str | None
    """None if the model's files are not on this machine."""
    tokenizer: str | None
    suites: Mapping[str, str]
    """Digest of each suite's prompts, by the suite's name."""
    policy: str
    recipe: str
    mixing: Mapping[str, Any]
    asking: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The digest of all inputs; the addresses of files do not count."""
        rows = [(source.role, source.sha256) for source in self.sources]
        return digest_json([rows, *self[1:4], dict(self.suites), self.policy, self.recipe, self.mixing, self.asking])


def fingerprint(config: PipelineConfig, policy: Policy) -> Fingerprint:
    """The fingerprint of a config's inputs as they are now.

    Args:
        config: with local paths absolute.
        policy: the content of config.policy.

    Raises:
        ConfigError, DataError: a suite, the base model or a training row is missing or wrong.
        StorageError: a file cannot be read.
    """
    suites = load_suites(config.suites)
    files = read_training_files(config.data, [prompt for suite in suites for prompt in suite.prompts])
    directory = _base_directory(config)
    return Fingerprint(
        sources=tuple(Source(file.role, file.sha256, file.address) for file in files),
        base_name=config.base_model.name,
        base=base_digest(directory) if directory is not None else None,
        tokenizer=tokenizer_digest(directory) if directory is not None else None,
        suites={suite.name: digest_bytes(dump_prompts(suite.prompts)) for suite in suites},
        policy=policy.digest,
        recipe=digest_json(config.recipe.model_dump(mode="json")),
        mixing=_mixing(config.data),
        asking=_asking(config.evaluation),
    )


def _base_directory(config: PipelineConfig) -> Path | None:
    """The base model's files, if they are on this machine; a claim may be mounted in the steps only."""
    path = config.base_model.path
    if path is not None and missing_claim(path, config.cluster) is not None:
        return None
    return cached_base_model(config.base_model)


def differences(now: Fingerprint, before: DecidedOn, sections: Sections | None) -> list[str]:
    """What changed since a decision, one sentence per change.

    Args:
        now: the inputs as they are today.
        before: the last decided run.
        sections: of that run's config; None if it was not kept.
    """
    changes = [*_data(now, before), *_base(now, before), *_suites(now, before)]
    if now.policy != before.decision.policy_digest:
        changes.append(f"the policy changed: {short(before.decision.policy_digest)} then, {short(now.policy)} now")
    if now.recipe != before.manifest.recipe_digest:
        changes.append(f"the recipe changed: {short(before.manifest.recipe_digest)} then, {short(now.recipe)} now")
    if sections is not None:
        mixing, asking = _mixing_of(sections), _asking_of(sections)
        changes += _settings("data", mixing, now.mixing) + _settings("evaluation", asking, now.asking)
    return changes


def _data(now: Fingerprint, before: DecidedOn) -> list[str]:
    then = [(source.role, source.sha256) for source in before.data.sources]
    today = [(source.role, source.sha256) for source in now.sources]
    if then == today:
        return []
    fresh = [source for source in now.sources if (source.role, source.sha256) not in then]
    if not fresh:
        return [f"the training files changed: {len(then)} then, {len(today)} now, or in another order"]
    return [f"the {source.role} rows in {source.address} changed: now {short(source.sha256)}" for source in fresh]


def _base(now: Fingerprint, before: DecidedOn) -> list[str]:
    manifest = before.manifest
    if now.base is not None:
        if now.tokenizer != manifest.inputs.get("tokenizer", now.tokenizer):
            return ["the base model's tokenizer or chat template changed, and perhaps more of it"]
        if now.base != before.base_digest:
            return [f"the base model changed: {short(before.base_digest)} then, {short(now.base)} now"]
        return []
    if now.base_name != manifest.base_name:
        return [f"the base model changed: {manifest.base_name} then, {now.base_name} now"]
    return []


def _suites(now: Fingerprint, before: DecidedOn) -> list[str]:
    then = {
        entry.name: entry.sha256 for entry in before.prompts.suites if not set(entry.categories) <= _DATA_CATEGORIES
    }
    changed = [name for name in sorted({*then, *now.suites}) if then.get(name) != now.suites.get(name)]
    return [f"suite {name} {_how(then.get(name), now.suites.get(name))}" for name in changed]


def _how(then: str | None, today: str | None) -> str:
    if then is None:
        return "is new"
    return "is gone" if today is None else f"changed: {short(then)} then, {short(today)} now"


def _settings(section: str, then: Mapping[str, Any] | None, today: Mapping[str, Any]) -> list[str]:
    if then is None:
        return []
    changed = [key for key in today if then.get(key) != today[key]]
    return [f"{section}.{key} changed: {_shown(then.get(key))} then, {_shown(today[key])} now" for key in changed]


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _mixing(data: DataConfig) -> dict[str, Any]:
    settings = data.model_dump(mode="json", exclude={"train", "mix"})
    mix = [source.model_dump(mode="json", exclude={"path"}) for source in data.mix]
    return {**settings, "mix": mix}


def _asking(evaluation: EvaluationConfig) -> dict[str, Any]:
    return evaluation.model_dump(mode="json", exclude=_WITHOUT_EFFECT | {"judges"}) | {
        "judges": [_without_path(judge.model_dump(mode="json")) for judge in evaluation.judges]
    }


def _without_path(judge: dict[str, Any]) -> dict[str, Any]:
    """A judge's settings without the path of its model on this machine."""
    model = judge.get("model")
    return {**judge, "model": {**model, "path": None}} if isinstance(model, dict) else judge


def _mixing_of(sections: Sections) -> dict[str, Any] | None:
    try:
        return _mixing(DataConfig.model_validate_json(json.dumps(sections["data"])))
    except (KeyError, ValueError):  # of another version, which cannot be compared
        return None


def _asking_of(sections: Sections) -> dict[str, Any] | None:
    try:
        return _asking(EvaluationConfig.model_validate_json(json.dumps(sections["evaluation"])))
    except (KeyError, ValueError):
        return None
