"""Finds what a replay needs, prompt, base model, adapter and contract, and checks each against the evidence."""

from pathlib import Path

from components.shared.artifacts.safety_report import ASKED_AS, SafetyReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.artifacts.training_data import AdapterManifest
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import PipelineConfig
from components.shared.digests import digest_json, short
from components.shared.errors import ConfigError, IntegrityError
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest
from components.shared.generation.base_models import base_digest, locate_base_model, tokenizer_digest
from components.shared.generation.transformers_engine import engine_facts
from components.shared.store import ADAPTER_KIND, Store
from components.shared.suites.prompt_sets import LoadedPrompts
from pipelines.evidence.opening import OpenEvidence

_ASKED = (*ASKED_AS, "seed", "batch_tokens")
"""Fields on which config and contract must agree."""


def find_base(config: PipelineConfig, post: SafetyReport) -> Path:
    """Directory of the base model that was evaluated.

    Raises:
        ConfigError, ModelError: it cannot be located or downloaded.
        IntegrityError: its weights are not those of the run.
    """
    base = locate_base_model(config.base_model)
    if (digest := base_digest(base)) != post.base_digest:
        raise IntegrityError(
            f"base model {config.base_model.name}: its files have digest {short(digest)}, the run evaluated "
            f"{short(post.base_digest)}; name a config with the right model with --config"
        )
    return base


def find_prompt(loaded: LoadedPrompts, prompt_id: str, sample: int | None, samples: int) -> SuitePrompt:
    """A prompt of the run by its id.

    Raises:
        ConfigError: the run did not ask it, or it has no such sample.
    """
    prompt = next((prompt for prompt in loaded.prompts if prompt.id == prompt_id), None)
    if prompt is None:
        raise ConfigError(
            f"the run asked no prompt {prompt_id!r}; it asked {len(loaded.prompts)}, such as {loaded.prompts[0].id!r} "
            "(without a prompt, `plimsoll replay RUN` lists the witnesses)"
        )
    if sample is not None and sample >= prompt.draws(samples):
        raise ConfigError(
            f"prompt {prompt_id!r} has no sample {sample}; it has {prompt.draws(samples)}, counted from 0"
        )
    return prompt


def find_adapter(evidence: OpenEvidence, config: PipelineConfig, post: SafetyReport, directory: Path | None) -> Path:
    """Directory of the evaluated adapter: `directory` where one is named, else evidence, store or registry.

    Raises:
        ConfigError: it is nowhere.
        IntegrityError: the files are not those that were evaluated.
    """
    files = directory or _locate_adapter(evidence, config)
    if (digest := adapter_digest(files)) != post.adapter_digest:
        raise IntegrityError(
            f"adapter {files}: has digest {short(digest)}, the run evaluated {short(str(post.adapter_digest))}; name "
            "the right directory with --adapter"
        )
    return files


def _locate_adapter(evidence: OpenEvidence, config: PipelineConfig) -> Path:
    kept = evidence.folder / "adapter"
    if all((kept / name).is_file() for name in ADAPTER_FILES):
        return kept
    manifest = AdapterManifest.load(kept / "manifest.json")
    stored, key = evidence.scratch / "adapter", digest_json([manifest.inputs, manifest.software])
    if Store(config.store, config.store_key_env).fetch(ADAPTER_KIND, key, stored):
        return stored
    if evidence.run is not None:
        (evidence.scratch / "registered").mkdir()
        if (registered := evidence.run.fetch_registered(evidence.scratch / "registered")) is not None:
            return registered
    raise ConfigError(
        f"the adapter's files are neither in the evidence nor in store {config.store!r} nor registered by the run: "
        "name their directory with --adapter"
    )


def check_contract(evaluation: EvaluationConfig, base: Path, post: SafetyReport) -> list[str]:
    """Warnings where machine or libraries differ from those of the run.

    Raises:
        ConfigError: the config asks in another way than the run did.
    """
    contract, facts = post.contract, engine_facts(evaluation.dtype, evaluation.engine, base)
    asked = {**evaluation.model_dump(mode="json", include=set(_ASKED)), "tokenizer": tokenizer_digest(base)}
    recorded = contract.model_dump(mode="json")
    differing = [name for name, value in asked.items() if value != recorded[name]]
    if differing:
        shown = "; ".join(f"{name}: {asked[name]!r}, the run had {recorded[name]!r}" for name in differing)
        raise ConfigError(f"the config does not ask as the run did ({shown}); give the run's own config")
    return [
        f"the run answered with {theirs!r}, this machine answers with {ours!r}: it may draw other answers"
        for ours, theirs in ((facts.text, contract.engine), (facts.dtype, contract.dtype))
        if ours != theirs
    ]
