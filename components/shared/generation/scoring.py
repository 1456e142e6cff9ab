"""Scores texts under a model: log-probabilities of their tokens, and the distributions before each token."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch

TOKENS_AT_ONCE = 4096
"""Tokens of one batch, prompts included; on a CPU, batches that exceeded its caches were 3.6 times slower."""

_LOGITS_AT_ONCE = 2**26
"""Logits of one batch (rows x text tokens x vocabulary): 256 MiB in float32."""


class Text(NamedTuple):
    """The tokens of a prompt and of the text after it."""

    prompt: list[int]
    text: list[int]


class _Scored(NamedTuple):
    """The index of a text and its log-distributions, text tokens x vocabulary."""

    place: int
    log_distributions: torch.Tensor


def token_log_probs(
    model: Any, texts: Sequence[Text], pad: int, device: str, tokens_at_once: int = TOKENS_AT_ONCE
) -> list[list[float]]:
    """Log-probability of each token of each text, nats; an empty text gives an empty list."""
    results: list[list[float]] = [[] for _ in texts]
    for place, distributions in _log_distributions(model, texts, pad, device, tokens_at_once):
        tokens = torch.tensor(texts[place].text, device=distributions.device)
        results[place] = distributions.gather(-1, tokens[:, None])[:, 0].tolist()
    return results


def log_distributions(
    model: Any, texts: Sequence[Text], pad: int, device: str, tokens_at_once: int = TOKENS_AT_ONCE
) -> list[torch.Tensor]:
    """Log-distribution before each token of each text: text tokens x vocabulary, on the CPU; keep texts short."""
    results = [torch.empty(0) for _ in texts]
    for place, distributions in _log_distributions(model, texts, pad, device, tokens_at_once):
        results[place] = distributions.cpu()
    return results


def _log_distributions(
    model: Any, texts: Sequence[Text], pad: int, device: str, tokens_at_once: int
) -> Iterator[_Scored]:
    order = sorted(
        (place for place, scored in enumerate(texts) if scored.text), key=lambda place: -sum(map(len, texts[place]))
    )
    vocabulary = int(model.config.get_text_config().vocab_size)
    while order:
        widest = max(len(texts[place].text) for place in order)
        longest = sum(map(len, texts[order[0]]))
        rows = max(1, min(_LOGITS_AT_ONCE // (vocabulary * (widest + 1)), tokens_at_once // longest))
        batch, order = order[:rows], order[rows:]
        width = max(sum(map(len, texts[place])) for place in batch)
        keep = max(len(texts[place].text) for place in batch) + 1
        padding = [width - sum(map(len, texts[place])) for place in batch]
        tokens = [
            [pad] * gap + texts[place].prompt + texts[place].text for gap, place in zip(padding, batch, strict=True)
        ]
        attended = torch.arange(width, device=device) >= torch.tensor(padding, device=device)[:, None]
        with torch.inference_mode():
            logits = model(
                input_ids=torch.tensor(tokens, device=device),
                attention_mask=attended.long(),
                position_ids=(attended.long().cumsum(-1) - 1).clamp(min=0),
                use_cache=False,
                logits_to_keep=keep,
            ).logits
            for row, place in enumerate(batch):
                before_tokens = logits[row, -len(texts[place].text) - 1 : -1].float()
                yield _Scored(place, torch.log_softmax(before_tokens, dim=-1))
