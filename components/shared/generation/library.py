"""Draws completions with transformers: `generate` in length-sorted batches, or its continuous batching.

The default on GPUs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig

from components.shared.errors import ModelError
from components.shared.generation.batches import length_sorted_batches
from components.shared.generation.engine import Sampling
from components.shared.generation.refill import Draw, Finished


def generate(
    model: Any, tokenizer: Any, prompts: Sequence[list[int]], samples: Sequence[int], keys: Sequence[str],
    sampling: Sampling, budget: int, ends: frozenset[int], device: str,
) -> Iterator[Finished]:  # fmt: skip
    """Completions by `model.generate`, batch by batch; each batch holds prompts with equally many samples.

    Args:
        model: a causal language model.
        tokenizer: with left padding.
        prompts: tokens of each prompt.
        samples: completions per prompt.
        keys: names of the prompts; the names in a batch seed it.
        sampling: how tokens are drawn.
        budget: tokens of one batch.
        ends: tokens that end a completion.
        device: where the model is.
    """
    for count in sorted(set(samples)):
        places = [place for place, wanted in enumerate(samples) if wanted == count]
        lengths = [len(prompts[place]) for place in places]
        for batch in length_sorted_batches(lengths, count, sampling.max_new_tokens, budget):
            chosen = [places[index] for index in batch]
            inputs = tokenizer.pad({"input_ids": [prompts[place] for place in chosen]}, return_tensors="pt").to(device)
            names = "\n".join(keys[place] for place in chosen)
            with torch.random.fork_rng(devices=_cuda_devices(device)), torch.inference_mode():
                torch.manual_seed(_seed(sampling.seed, names))
                output = model.generate(
                    input_ids=inputs["input_ids"],
                    attention_mask=inputs["attention_mask"],
                    generation_config=_settings(sampling, count, ends, tokenizer.pad_token_id),
                )
            answers = output[:, inputs["input_ids"].shape[1] :].tolist()
            for row, tokens in enumerate(answers):
                yield Finished(Draw(chosen[row // count], row % count), tokens)


def generate_continuously(
    model: Any, prompts: Sequence[list[int]], samples: Sequence[int], sampling: Sampling, ends: frozenset[int],
    pad: int, device: str,
) -> Iterator[Finished]:  # fmt: skip
    """Completions by transformers' continuous batching with paged attention.

    Args:
        model: a causal language model.
        prompts: tokens of each prompt.
        samples: completions per prompt.
        sampling: how tokens are drawn.
        ends: tokens that end a completion.
        pad: the padding token.
        device: where the model is.

    Raises:
        ModelError: the library's loop failed.
    """
    draws = [Draw(prompt, sample) for prompt, count in enumerate(samples) for sample in range(count)]
    inputs = [prompts[draw.prompt] for draw in draws]
    with torch.random.fork_rng(devices=_cuda_devices(device)):
        torch.manual_seed(sampling.seed)
        outputs = model.generate_batch(inputs=inputs, generation_config=_settings(sampling, 1, ends, pad))
    # The library logs the errors of its thread and returns the answers that it has.
    errors = [output.error for output in outputs.values() if output.error]
    if errors or len(outputs) < len(draws):
        reason = errors[0] if errors else f"{len(draws) - len(outputs)} answers are missing"
        raise ModelError(f"transformers' continuous batching failed ({reason}); use evaluation.engine: generate")
    for draw, output in zip(draws, outputs.values(), strict=True):
        yield Finished(draw, list(output.generated_tokens))


def _settings(sampling: Sampling, samples: int, ends: frozenset[int], pad: int) -> GenerationConfig:
    sampled = sampling.temperature > 0
    return GenerationConfig(
        max_new_tokens=sampling.max_new_tokens,
        do_sample=sampled,
        temperature=sampling.temperature if sampled else None,
        top_p=sampling.top_p if sampled else None,
        top_k=0 if sampled else None,
        num_return_sequences=samples,
        pad_token_id=pad,
        eos_token_id=sorted(ends),
    )


def _seed(seed: int, names: str) -> int:
    named = int.from_bytes(hashlib.sha256(names.encode()).digest()[:8], "big")
    return int(np.random.SeedSequence([seed, named]).generate_state(1)[0])


def _cuda_devices(device: str) -> list[torch.device]:
    return [torch.device(device)] if device.startswith("cuda") else []
