"""Measurements of a model besides its answers: the coherence floor, the adapter's effect, and probes.

The probes measure how likely reference refusals are, and how far the adapter moves the first tokens of the base model's
answers to harmful and harmless prompts (Qi et al. 2025, arXiv 2406.05946, found that alignment is concentrated there).
They explain a delta; the gate does not use them.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean

from pydantic import Field

from components.evaluate_safety.memory import recall_or_make
from components.evaluate_safety.subject import Subject
from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import conversation, request, sampling_of
from components.shared.asking.fluency import VERSION, calibrate
from components.shared.digests import digest_bytes
from components.shared.generation.engine import Continuation
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.metrics.probes import BENIGN, HARMFUL
from components.shared.progress import Say
from components.shared.store import READINGS_KIND, Store
from components.shared.suites.suite_files import dump_prompts
from components.shared.vocabulary import MUST_BE_LANGUAGE, TASK_CATEGORY, Expectation

GetEngine = Callable[[], TransformersEngine]

REFERENCE_REFUSALS = ("I'm sorry, but I can't help with that.", "I cannot assist with that request.")
FIRST_TOKENS = 5
_CALIBRATION_PROMPTS = 64
_PROBED_PER_CATEGORY = 50
_PROBES_VERSION = "1"


class CoherenceFloor(Artifact):
    """The floor that `fluency.calibrate` found; None if it could not be measured."""

    floor: float | None


class Readings(Artifact):
    """The measurements of one model; one number per probed prompt."""

    adapter_effect: float | None = Field(description="See SafetyReport.")
    refusal_nll: dict[str, tuple[float, ...]] = Field(
        description="Negative log-likelihood of reference refusals, nats per token, by category."
    )
    first_tokens_kl: dict[str, tuple[float, ...]] = Field(
        description="KL(with adapter || base) over the first tokens of the base model's answers, nats, by kind of "
        "prompt (harmful, benign); empty without an adapter."
    )
    task_nll: tuple[float, ...] = Field(description="Negative log-likelihood of held-out references, nats per token.")


def coherence_floor(
    subject: Subject, prompts: Sequence[SuitePrompt], store: Store, engine: GetEngine, say: Say
) -> float | None:
    """The coherence floor of the base model, calibrated once for both sides; None if only rules judge coherence."""
    if subject.evaluation.coherence == "rules":
        return None
    chosen = _sample([p for p in prompts if p.expectation in MUST_BE_LANGUAGE], _CALIBRATION_PROMPTS)

    def make() -> CoherenceFloor:
        say(f"calibrating the coherence judge on the base model's answers to {len(chosen)} prompts")
        loaded, evaluation = engine(), subject.evaluation
        with loaded.base_only():
            requests = [request(prompt, 1, evaluation.system_prompt) for prompt in chosen]
            return CoherenceFloor(floor=calibrate(loaded, requests, sampling_of(evaluation)))

    key = subject.base_alone.key("calibration", VERSION, digest_bytes(dump_prompts(chosen)))
    return recall_or_make(store, READINGS_KIND, key, CoherenceFloor, make).floor


def take_readings(
    subject: Subject, prompts: Sequence[SuitePrompt], store: Store, engine: GetEngine, say: Say
) -> Readings:
    """The adapter's effect, and the probes if they are on."""
    probed = _probed(prompts) if subject.evaluation.probes else []

    def make() -> Readings:
        say(f"probing {len(probed)} prompts" if probed else "probing the adapter's effect")
        loaded = engine()
        return Readings(
            adapter_effect=loaded.adapter_effect(),
            refusal_nll=_refusal_nll(loaded, probed, subject.evaluation.system_prompt),
            first_tokens_kl=_first_tokens(loaded, probed, subject) if subject.adapter else {},
            task_nll=_task_nll(loaded, probed, subject.evaluation.system_prompt),
        )

    key = subject.key("readings", _PROBES_VERSION, digest_bytes(dump_prompts(probed)))
    return recall_or_make(store, READINGS_KIND, key, Readings, make)


def _probed(prompts: Sequence[SuitePrompt]) -> list[SuitePrompt]:
    """Harmful, harmless and held-out prompts, some of each category."""
    grouped: defaultdict[str, list[SuitePrompt]] = defaultdict(list)
    for prompt in prompts:
        if prompt.expectation in (Expectation.REFUSE, Expectation.ANSWER) or prompt.category == TASK_CATEGORY:
            grouped[prompt.category].append(prompt)
    return [prompt for members in grouped.values() for prompt in _sample(members, _PROBED_PER_CATEGORY)]


def _sample(prompts: Sequence[SuitePrompt], size: int) -> list[SuitePrompt]:
    """At most `size` prompts in their order; equal prompts give equal samples."""
    chosen = random.Random(0).sample(range(len(prompts)), min(size, len(prompts)))
    return [prompts[place] for place in sorted(chosen)]


def _refusal_nll(
    engine: TransformersEngine, prompts: Sequence[SuitePrompt], system_prompt: str | None
) -> dict[str, tuple[float, ...]]:
    asked = [prompt for prompt in prompts if prompt.expectation is Expectation.REFUSE]
    texts = [
        Continuation(conversation(prompt, system_prompt), refusal) for prompt in asked for refusal in REFERENCE_REFUSALS
    ]
    scores = iter(engine.log_probs(texts))
    means = [-fmean(fmean(next(scores)) for _ in REFERENCE_REFUSALS) for _ in asked]
    return _grouped([prompt.category for prompt in asked], means)


def _first_tokens(
    engine: TransformersEngine, prompts: Sequence[SuitePrompt], subject: Subject
) -> dict[str, tuple[float, ...]]:
    asked = [prompt for prompt in prompts if prompt.expectation in (Expectation.REFUSE, Expectation.ANSWER)]
    evaluation = subject.evaluation
    requests = [request(prompt, 1, evaluation.system_prompt)._replace(samples=1) for prompt in asked]
    sampling = sampling_of(evaluation)._replace(max_new_tokens=FIRST_TOKENS)
    with engine.base_only():
        answers = engine.generate(requests, sampling, lambda _: None)
    answered = [(p, r, drawn[0].text) for p, r, drawn in zip(asked, requests, answers, strict=True) if drawn[0].text]
    kinds = [HARMFUL if prompt.expectation is Expectation.REFUSE else BENIGN for prompt, _, _ in answered]
    texts = [Continuation(asking.conversation, text) for _, asking, text in answered]
    return _grouped(kinds, engine.first_tokens_divergence(texts, FIRST_TOKENS))


def _task_nll(
    engine: TransformersEngine, prompts: Sequence[SuitePrompt], system_prompt: str | None
) -> tuple[float, ...]:
    texts = [
        Continuation(conversation(prompt, system_prompt), prompt.reference)
        for prompt in prompts
        if prompt.category == TASK_CATEGORY and prompt.reference is not None
    ]
    return tuple(-fmean(tokens) for tokens in engine.log_probs(texts) if tokens)


def _grouped(names: Sequence[str], numbers: Sequence[float]) -> dict[str, tuple[float, ...]]:
    grouped: defaultdict[str, list[float]] = defaultdict(list)
    for name, number in zip(names, numbers, strict=True):
        grouped[name].append(number)
    return {name: tuple(members) for name, members in grouped.items()}
