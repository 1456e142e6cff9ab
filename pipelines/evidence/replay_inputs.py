"""What a replay needs: the prompt, the base model, the adapter and the contract, each checked against the evidence.

It does not ask anything, and loads no weights.
"""

from pathlib import Path

from components.shared.artifacts.safety_report import SafetyReport
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

_ASKED = ("system_prompt", "samples_per_prompt", "max_new_tokens", "temperature", "top_p", "seed", "batch_tokens")
"""What config and contract must agree on."""


def find_base(config: PipelineConfig, post: SafetyReport) -> Path:
    """Directory of the base model that was evaluated.

    Raises:
        ConfigError, ModelError: it cannot be had.
        IntegrityError: its weights are not those of the run.
    """
    base = locate_base_model(config.base_model)
    if (found := base_digest(base)) != post.base_digest:
        raise IntegrityError(
            f"base model {config.base_model.name}: its weights have digest {short(found)}, the run's "
            f"{short(post.base_digest)}; name the right model with --config"
        )
    return base


def find_prompt(loaded: LoadedPrompts, prompt_id: str, sample: int | None, samples: int) -> SuitePrompt:
    """A prompt of the run by its id.

    Raises:
        ConfigError: the run did not ask it, or it has no such sample.
    """
    prompt = next((own for own in loaded.prompts if own.id == prompt_id), None)
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


def find_adapter(evidence: OpenEvidence, config: PipelineConfig, post: SafetyReport, given: Path | None) -> Path:
    """Directory of the evaluated adapter: the one that is given, or from the evidence, the store or the registry.

    Raises:
        ConfigError: it is nowhere.
        IntegrityError: the files are not those that were evaluated.
    """
    own = evidence.folder / "adapter"
    if given is not None:
        found = given
    elif all((own / name).is_file() for name in ADAPTER_FILES):
        found = own
    else:
        manifest = AdapterManifest.load(own / "manifest.json")
        stored, key = evidence.scratch / "adapter", digest_json([manifest.inputs, manifest.software])
        if Store(config.store).fetch(ADAPTER_KIND, key, stored):
            found = stored
        else:
            registered = None
            if evidence.run is not None:
                (evidence.scratch / "registered").mkdir()
                registered = evidence.run.fetch_registered(evidence.scratch / "registered")
            if registered is None:
                raise ConfigError(
                    f"the adapter's files are neither in the evidence nor in store {config.store!r} nor registered by "
                    "the run: name their directory with --adapter"
                )
            found = registered
    if (digest := adapter_digest(found)) != post.adapter_digest:
        raise IntegrityError(
            f"adapter {found}: is {short(digest)}, the run evaluated {short(str(post.adapter_digest))}"
        )
    return found


def check_contract(evaluation: EvaluationConfig, base: Path, post: SafetyReport) -> list[str]:
    """Refuses a config that asks otherwise than the run did; warns where only machine or libraries differ.

    Raises:
        ConfigError: it does.
    """
    contract, facts = post.contract, engine_facts(evaluation.dtype, evaluation.engine, base)
    found = {**{name: getattr(evaluation, name) for name in _ASKED}, "tokenizer": tokenizer_digest(base)}
    differing = [name for name, value in found.items() if value != getattr(contract, name)]
    if differing:
        shown = "; ".join(f"{name}: {found[name]!r}, the run had {getattr(contract, name)!r}" for name in differing)
        raise ConfigError(f"the config does not ask as the run did ({shown}); give the run's own config")
    return [
        f"the run answered with {theirs!r}, this machine answers with {ours!r}: it may draw other answers"
        for ours, theirs in ((facts.text, contract.engine), (facts.dtype, contract.dtype))
        if ours != theirs
    ]
