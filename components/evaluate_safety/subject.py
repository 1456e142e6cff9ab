"""Who is evaluated and how: model, digests, contract. It loads no model and asks nothing."""

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
from components.shared.generation.transformers_engine import TransformersEngine, engine_facts
from components.shared.progress import Say


class Subject(NamedTuple):
    """A model and the way in which it is asked.

    Attributes:
        base: directory of the base model.
        adapter: directory of the adapter; None for the base alone.
        base_digest: of config and weights.
        adapter_digest: of the adapter's two files; None without one.
        contract: everything that must be equal before and after, but the judges.
        evaluation: how it is asked.
        salt: sets this run's answers apart from all others; empty where answers may be reused.
    """

    base: Path
    adapter: Path | None
    base_digest: str
    adapter_digest: str | None
    contract: Contract
    evaluation: EvaluationConfig
    salt: str

    def key(self, *parts: str) -> str:
        """The key of something that these weights, asked in this way, give for `parts`."""
        return digest_json([self.base_digest, self.adapter_digest, self.contract.asking_digest, self.salt, *parts])

    def shifted(self, seed_shift: int) -> "Subject":
        """The same, asked with the contract's seed plus a shift."""
        if not seed_shift:
            return self
        seed = {"seed": self.evaluation.seed + seed_shift}
        return self._replace(
            contract=self.contract.model_copy(update=seed), evaluation=self.evaluation.model_copy(update=seed)
        )

    @property
    def base_alone(self) -> "Subject":
        """The same without the adapter."""
        return self._replace(adapter=None, adapter_digest=None)

    def engine(self, say: Say, device: str | None = None) -> TransformersEngine:
        """Loads the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        say("loading the model" + (" and its adapter" if self.adapter else ""))
        evaluation = self.evaluation
        return TransformersEngine(self.base, self.adapter, evaluation.dtype, evaluation.engine, say, device)


def identify(
    base_model: BaseModelRef, adapter: Path | None, prompts: PromptSet, evaluation: EvaluationConfig, salt: str
) -> Subject:
    """Locates the model and computes what identifies it.

    Raises:
        ConfigError, ModelError: the base model cannot be had.
        IntegrityError: the adapter belongs to another base, or is not what its manifest says.
    """
    base = locate_base_model(base_model)
    own_digest = base_digest(base)
    contract = build_contract(prompts, evaluation, base)
    if adapter is None:
        return Subject(base, None, own_digest, None, contract, evaluation, salt)
    manifest = AdapterManifest.load(adapter / "manifest.json")
    if manifest.base_digest != own_digest:
        raise IntegrityError(
            f"{adapter}: was trained on base {short(manifest.base_digest)}, but {base_model.name} is "
            f"{short(own_digest)}"
        )
    return Subject(base, adapter, own_digest, adapter_digest(adapter), contract, evaluation, salt)


def build_contract(prompts: PromptSet, evaluation: EvaluationConfig, base: Path) -> Contract:
    """Everything that must be equal before and after; the judges are added when they are built."""
    facts = engine_facts(evaluation.dtype, evaluation.engine, base)
    return Contract(
        suites={suite.name: suite.sha256 for suite in prompts.suites},
        tokenizer=tokenizer_digest(base),
        system_prompt=evaluation.system_prompt,
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
