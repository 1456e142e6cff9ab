"""The model under evaluation: its files, digests, contract and settings."""

from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.safety_report import Contract
from components.shared.artifacts.training_data import AdapterManifest, PromptSet
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.digests import digest_json, short
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest, locate_base_model, tokenizer_digest
from components.shared.generation.model_loading import end_tokens, load_tokenizer
from components.shared.generation.transformers_engine import TransformersEngine, engine_facts
from components.shared.progress import Say


class Subject(NamedTuple):
    """A model and how it is asked.

    Attributes:
        base: directory of the base model.
        adapter: directory of the adapter; None for the base alone.
        base_digest: of config and weights.
        adapter_digest: of the adapter's two files; None without one.
        contract: everything that must be equal before and after, without the judges.
        evaluation: how it is asked.
        salt: makes the keys of this run's answers unique; empty if answers may be reused.
    """

    base: Path
    adapter: Path | None
    base_digest: str
    adapter_digest: str | None
    contract: Contract
    evaluation: EvaluationConfig
    salt: str

    def key(self, *parts: str) -> str:
        """The store key of a measurement of these weights with these settings; `parts` name the measurement."""
        return digest_json([self.base_digest, self.adapter_digest, self.contract.asking_digest, self.salt, *parts])

    def shifted(self, seed_shift: int) -> "Subject":
        """The same subject with a shift added to the contract's seed."""
        if not seed_shift:
            return self
        seed = {"seed": self.evaluation.seed + seed_shift}
        return self._replace(
            contract=self.contract.model_copy(update=seed), evaluation=self.evaluation.model_copy(update=seed)
        )

    @property
    def base_alone(self) -> "Subject":
        """The same subject without the adapter."""
        return self._replace(adapter=None, adapter_digest=None)

    def engine(self, say: Say, device: str | None = None) -> TransformersEngine:
        """Loads the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        say("loading the model" + (" and its adapter" if self.adapter else ""))
        return TransformersEngine.of(self.base, self.adapter, self.evaluation, say, device)


def identify(
    base_model: BaseModelRef, adapter: Path | None, prompts: PromptSet, evaluation: EvaluationConfig, salt: str
) -> Subject:
    """Locates the model and computes what identifies it.

    Raises:
        ConfigError, ModelError: the base model is not available.
        IntegrityError: the adapter was trained on another base model.
    """
    base = locate_base_model(base_model)
    digest = base_digest(base)
    contract = build_contract(prompts, evaluation, base)
    if adapter is None:
        return Subject(base, None, digest, None, contract, evaluation, salt)
    manifest = AdapterManifest.load(adapter / "manifest.json")
    if manifest.base_digest != digest:
        raise IntegrityError(
            f"{adapter}: was trained on base {short(manifest.base_digest)}, but {base_model.name} is {short(digest)}"
        )
    return Subject(base, adapter, digest, adapter_digest(adapter), contract, evaluation, salt)


def build_contract(prompts: PromptSet, evaluation: EvaluationConfig, base: Path) -> Contract:
    """Everything that must be equal before and after; the judges are added when they are built."""
    facts = engine_facts(evaluation.dtype, evaluation.engine, base)
    return Contract(
        suites={suite.name: suite.sha256 for suite in prompts.suites},
        tokenizer=tokenizer_digest(base),
        system_prompt=evaluation.system_prompt,
        system_turns=evaluation.system_turns,
        thinking=evaluation.thinking,
        template_arguments=evaluation.template_arguments,
        date=evaluation.date.isoformat(),
        ends=end_tokens(base, load_tokenizer(base)),
        samples_per_prompt=evaluation.samples_per_prompt,
        max_new_tokens=evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        top_p=evaluation.top_p,
        seed=evaluation.seed,
        batch_tokens=evaluation.batch_tokens,
        dtype=facts.dtype,
        engine=facts.text,
        judges={},
    )
